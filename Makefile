# `make` lists the targets. Only scripts/bootstrap installs anything; everything made lies in .deps/, recordings/, build/.
SHELL := /bin/bash
CMAKE := .deps/venv/bin/cmake
CTEST := .deps/venv/bin/ctest
JOBS := $(shell nproc)
SOURCES = git ls-files --cached --others --exclude-standard '*.cpp' '*.hpp'

.PHONY: help bootstrap build run test test-unit test-asan lint format tidy bench bench-hybrid bench-scale clean
.DEFAULT_GOAL := help

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

bootstrap:  ## install what is missing (scripts/bootstrap)
	@scripts/bootstrap

build: bootstrap  ## build the release: build/release/bin
	@$(CMAKE) --preset release --log-level=NOTICE
	@ninja -C build/release -j$(JOBS)

run: build  ## build, then replay 33 years of daily prices through the whole loop
	build/release/bin/everlearn demo

test: build  ## everything: unit, lint and end-to-end tests, then the unit tests under the sanitizers
	$(CTEST) --preset release -j$(JOBS)
	@$(MAKE) --no-print-directory test-asan

test-unit: build  ## unit tests
	$(CTEST) --preset release -j$(JOBS) -L '^unit$$'

test-asan: bootstrap  ## unit tests under the address and undefined-behaviour sanitizers
	@$(CMAKE) --preset asan --log-level=NOTICE
	@ninja -C build/asan -j$(JOBS) unit_tests
	$(CTEST) --preset asan -j$(JOBS)

lint: build  ## architecture, forbidden calls, layout, headers that compile alone
	$(CTEST) --preset release -j$(JOBS) -L '^lint$$'

format: bootstrap  ## let clang-format lay out the sources
	$(SOURCES) | xargs clang-format-16 -i

tidy: build  ## clang-tidy over all sources
	$(SOURCES) | grep '\.cpp$$' | xargs -P $(JOBS) -n 4 clang-tidy-16 -p build/release --quiet

bench: build  ## run the benchmarks
	@set -e; shopt -s nullglob; for b in build/release/bin/bench_*; do echo "$$b"; "$$b"; done

bench-hybrid: build  ## weeks of the hybrid system on recordings of ../shared, an hour (docs/hybrid_weeks.md)
	@.deps/venv/bin/python bench/hybrid_weeks.py --everlearn build/release/bin/everlearn --shared ../shared/data --work build/hybrid_weeks

bench-scale: build  ## cycles of 500 and 10,000 instruments, a restart, a backfill, half an hour (docs/scale.md)
	@ninja -C build/release -j$(JOBS) scale_bench store_bench training_set_bench
	@.deps/venv/bin/python bench/scale.py --bin build/release/bin --shared ../shared/data --work build/scale

clean:  ## remove build/ (keeps what bootstrap installed)
	rm -rf build
