// The whole cycle at scale: a venue's frames in, durable rows out. N markets of the recorded list (their real Gamma
// objects), each with two books; books and trades are made (stated below), so the figures are of time and bytes, never
// of skill.
//   scale_bench PROFILE-SETTINGS.toml MARKETS-FILE.jsonl PATH-OF-everlearn-train [--instruments N] [--cycles N]
//   [--hours N]
// A cycle: for half of the tokens one price_change of two levels, for a tenth a trade, each as the text frame the
// socket sends; then run_until_now() with its fsync. First `hours` of market time without measuring (features warm up,
// a model is trained on the examples and set to serve whatever it is worth), then `cycles` measured idle, then as many
// with a training running on the same machine.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "app/engine.hpp"
#include "core/json.hpp"
#include "core/system_clock.hpp"
#include "core/system_fs.hpp"
#include "core/system_proc.hpp"
#include "core/test_directory.hpp"
#include "io/venue_interpreter.hpp"

using namespace everlearn;

namespace {

constexpr Timestamp kBegin{1'773'266'400'000'000};  // 2026-03-11T22:00:00Z, when the list was recorded
constexpr int kLevels = 10;

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    std::exit(1);
  }
  return std::move(*result);
}
void must(const Result<void>& result) {
  if (!result) std::fprintf(stderr, "%s\n", result.error().message.c_str()), std::exit(1);
}

/// What the bench says, read as what a venue says.
class FrameSource final : public Source {
 public:
  FrameSource(const VenueRules& rules, Instruments& instruments)
      : interpreter_{must(VenueInterpreter::make(rules, instruments))} {}
  void say(Timestamp at, const char* channel, std::string raw) { said_.push_back({at, channel, std::move(raw)}); }
  Result<std::optional<Event>> next() override {
    while (events_.empty() && !said_.empty()) {
      std::vector<Event> read;
      if (!interpreter_.read(said_.front(), read)) ++refused_;
      said_.pop_front();
      events_.insert(events_.end(), std::make_move_iterator(read.begin()), std::make_move_iterator(read.end()));
    }
    if (events_.empty()) return std::optional<Event>{};
    Event event = std::move(events_.front());
    events_.pop_front();
    return std::optional{std::move(event)};
  }
  std::string position() const override { return {}; }
  Result<void> seek(const std::string&) override { return {}; }
  const SourceReport& report() const override { return interpreter_.report(); }
  std::optional<double> progress() const override { return std::nullopt; }
  bool remembers() const override { return false; }
  const Following& following() const { return interpreter_.following(); }
  std::int64_t refused() const { return refused_; }

 private:
  VenueInterpreter interpreter_;
  std::deque<Received> said_;
  std::deque<Event> events_;
  std::int64_t refused_ = 0;
};

std::string levels(double best, int step, Rng& rng) {
  std::string text;
  for (int k = kLevels - 1; k >= 0; --k)  // the best one last
    text += fmt::format("{}{{\"price\":\"{:.3f}\",\"size\":\"{:.2f}\"}}", text.empty() ? "" : ",",
                        std::clamp(best + step * 0.001 * k, 0.001, 0.999), 50 + 400 * rng.uniform());
  return text;
}

struct Token {
  std::string asset, market;
  double mid = 0.5;
};

class Market {
 public:
  Market(FrameSource& source, Rng& rng) : source_{source}, rng_{rng} {}

  void begin(std::vector<Token> tokens, Timestamp at) {
    tokens_ = std::move(tokens);
    for (Token& token : tokens_) book(token, at);
  }

  std::int64_t cycle(Timestamp from) {
    std::int64_t frames = 0;
    std::int64_t us = 0;
    for (Token& token : tokens_) {
      const Timestamp at = from + Duration{++us};
      const std::string ms = fmt::format("{}", at.us() / 1000);
      if (rng_.uniform() < 0.02) {  // the price moves: a fresh book
        token.mid = std::clamp(token.mid + 0.002 * (rng_.uniform() - 0.5 - 0.2 * (token.mid - 0.5)), 0.06, 0.94);
        book(token, at);
        ++frames;
      } else if (rng_.uniform() < 0.5) {
        const double bid = token.mid - 0.001 * std::ceil(1 + 8 * rng_.uniform());
        const double ask = token.mid + 0.001 * std::ceil(1 + 8 * rng_.uniform());
        source_.say(
            at, "market",
            fmt::format(R"({{"market":"{}","price_changes":[{{"asset_id":"{}","price":"{:.3f}","size":"{:.2f}",)"
                        R"("side":"BUY","hash":"h"}},{{"asset_id":"{}","price":"{:.3f}","size":"{:.2f}",)"
                        R"("side":"SELL","hash":"h"}}],"timestamp":"{}","event_type":"price_change"}})",
                        token.market, token.asset, bid, 50 + 400 * rng_.uniform(), token.asset, ask,
                        50 + 400 * rng_.uniform(), ms));
        ++frames;
      }
      if (rng_.uniform() < 0.1) {
        source_.say(at + Duration{1}, "market",
                    fmt::format(R"({{"market":"{}","asset_id":"{}","price":"{:.3f}","size":"{:.2f}","side":"{}",)"
                                R"("fee_rate_bps":"0","timestamp":"{}","event_type":"last_trade_price"}})",
                                token.market, token.asset, token.mid, 5 + 50 * rng_.uniform(),
                                rng_.uniform() < 0.5 ? "BUY" : "SELL", ms));
        ++frames;
      }
    }
    return frames;
  }

 private:
  void book(const Token& token, Timestamp at) {
    source_.say(at, "market",
                fmt::format(R"([{{"market":"{}","asset_id":"{}","timestamp":"{}","hash":"h","bids":[{}],"asks":[{}],)"
                            R"("event_type":"book"}}])",
                            token.market, token.asset, at.us() / 1000, levels(token.mid - 0.001, -1, rng_),
                            levels(token.mid + 0.001, 1, rng_)));
  }

  FrameSource& source_;
  Rng& rng_;
  std::vector<Token> tokens_;
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double at(std::vector<double> values, double quantile) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(quantile * static_cast<double>(values.size() - 1))];
}

struct Measured {
  std::vector<double> all, sample;  // milliseconds: cycles without and with examples
  double cpu = 0;
  std::int64_t frames = 0, missed = 0;
};

void print(const char* what, const Measured& m, double per_cycle) {
  fmt::print(
      "{:<34} p50 {:8.2f} ms  p99 {:8.2f} ms  max {:8.2f} ms  with examples p50 {:8.2f} ms max {:8.2f} ms  CPU {:6.2f} "
      "ms a cycle  "
      "{:.0f} frames a cycle  missed {}\n",
      what, at(m.all, 0.5), at(m.all, 0.99), at(m.all, 1), m.sample.empty() ? NAN : at(m.sample, 0.5),
      m.sample.empty() ? NAN : at(m.sample, 1), 1000 * m.cpu / per_cycle, static_cast<double>(m.frames) / per_cycle,
      m.missed);
}

}  // namespace

int main(int count, char** words) {
  if (count < 4)
    return std::fprintf(stderr, "scale_bench SETTINGS MARKETS TRAINER [--instruments N] [--cycles N] [--hours N]\n"), 2;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::int64_t instruments_wanted = 500, cycles = 1'000, hours = 6;
  for (int i = 4; i + 1 < count; i += 2) {
    const std::string name = words[i];
    (name == "--instruments" ? instruments_wanted : name == "--cycles" ? cycles : hours) = std::atoll(words[i + 1]);
  }
  SystemFs fs;
  SystemProc proc;
  const std::string markets_wanted = fmt::format("{}", instruments_wanted / 2);
  Config config = must(Config::load(fs, {.profile = words[1],
                                         .environment = {},
                                         .dot_env = {},
                                         .overrides = {{"venue.markets", markets_wanted},
                                                       {"venue.min_volume_24h", "0"},
                                                       {"venue.max_spread", "1"},
                                                       {"venue.mid_from", "0.001"},
                                                       {"venue.mid_to", "0.999"},
                                                       {"venue.leave_below", "0"},
                                                       {"venue.leave_above", "1"},
                                                       {"venue.min_horizons", "1"},
                                                       {"train.enabled", "true"},
                                                       {"train.auto_enable", "0"},
                                                       {"backfill.use", "false"},
                                                       {"train.min_effective", "50"},
                                                       {"train.min_holdout_effective", "20"},
                                                       {"train.embargo", "1s"},
                                                       {"train.stop_share", "0.45"},
                                                       {"train.holdout_share", "0.1"},
                                                       {"learner.trees", "300"},
                                                       {"learner.early_stopping", "0"}}}));
  const Profile& profile = config.profile;
  const auto calendar = make_always_open();
  const TestDirectory folder;
  ManualClock clock{kBegin};
  Rng rng = Rng::named(1, "engine"), made = Rng::named(2, "made market");
  const World world{clock, rng, fs, proc};
  auto store = must(Store::open(world, folder.path(), profile.store));
  Instruments instruments;
  VenueRules rules = profile.venue.rules;
  rules.fields = profile.table.fields;
  FrameSource source{rules, instruments};

  std::ifstream file{words[2]};
  std::vector<std::string> page;
  std::string line;
  Timestamp now = kBegin;
  const auto send_page = [&] {
    std::string body = "{\"markets\":[";
    for (std::size_t i = 0; i < page.size(); ++i) body += (i ? "," : "") + page[i];
    source.say(now = now + Duration{1}, "gamma", body + "]}");
    page.clear();
  };
  while (std::getline(file, line)) {
    page.push_back(line);
    if (page.size() == 100) send_page();
  }
  if (!page.empty()) send_page();
  source.say(now = now + Duration{1}, "gamma end", "{\"listing\":1}");

  auto engine = must(Engine::make(world, profile, *calendar, *store, source, instruments,
                                  {.data_directory = folder.path(), .trainer = words[3]}));
  const auto run = [&] {
    for (;;)
      if (!must(engine->run_until_now()).more) return;
  };
  clock.set(kBegin + Duration::seconds(5));
  run();
  const Following following = source.following();
  std::vector<Token> tokens;
  for (std::size_t i = 0; i < following.first_tier.size(); ++i) {
    const double mid = 0.1 + 0.8 * made.uniform();
    tokens.push_back({following.first_tier[i], following.markets[i], i % 2 == 0 ? mid : 1 - tokens.back().mid});
  }
  fmt::print("{} instruments of {} wanted, {} columns, cycle {}\n", tokens.size(), instruments_wanted,
             must(RowSchema::make(profile)).size(), profile.cycle.text());
  Market market{source, made};
  market.begin(tokens, kBegin + Duration::seconds(6));

  std::int64_t number = 1;
  const auto measure = [&](std::int64_t n) {
    Measured m;
    const double cpu = cpu_seconds();
    const std::int64_t before = engine->progress().cycles;
    for (std::int64_t k = 0; k < n; ++k, ++number) {
      const Timestamp from = kBegin + profile.cycle * number;
      m.frames += market.cycle(from + Duration::seconds(1));
      clock.set(from + profile.cycle + Duration{1});
      const std::int64_t examples = engine->progress().examples;
      const Stopwatch stopwatch;
      run();
      (engine->progress().examples == examples ? m.all : m.sample).push_back(1000 * stopwatch.seconds());
    }
    m.cpu = cpu_seconds() - cpu;
    m.missed = n - (engine->progress().cycles - before);
    return m;
  };
  const auto print_split = [](const Engine& of) {
    fmt::print("seconds so far:");
    for (const auto& [name, seconds] : of.progress().split_seconds) fmt::print("  {} {:.2f}", name, seconds);
    fmt::print("\n");
  };
  const std::int64_t warm = Duration::hours(hours) / profile.cycle;
  const Measured warming = measure(warm);
  print("warming up, no model", warming, static_cast<double>(warm));
  print_split(*engine);
  const Stopwatch trained;
  must(engine->train_now({.reason = "bench"}));
  for (const ModelEntry& entry : engine->registry().entries())
    if (entry.target == profile.targets[acting_target(profile)].name) {
      must(engine->promote_model(entry.id));
      break;
    }
  fmt::print("training and promotion {:.1f} s, {} examples, {} labelled\n", trained.seconds(),
             engine->progress().examples, engine->progress().labelled);
  const Measured idle = measure(cycles);
  print("model serves, idle", idle, static_cast<double>(cycles));
  print_split(*engine);
  std::vector<double> all, sample;
  Measured busy;
  std::int64_t trained_cycles = 0;
  while (trained_cycles < cycles) {
    if (!engine->training()) must(engine->request_training({.reason = "bench", .params = {"n_estimators=5000"}}));
    const Measured m = measure(1);
    if (!engine->training()) continue;
    ++trained_cycles;
    busy.all.insert(busy.all.end(), m.all.begin(), m.all.end());
    busy.sample.insert(busy.sample.end(), m.sample.begin(), m.sample.end());
    busy.cpu += m.cpu;
    busy.frames += m.frames;
    busy.missed += m.missed;
    if (busy.all.size() > 20 && trained_cycles > cycles) break;
  }
  print("model serves, a training runs", busy, static_cast<double>(trained_cycles));
  fmt::print("p99 under training / idle: {:.2f}\n", at(busy.all, 0.99) / at(idle.all, 0.99));
  fmt::print("base {:.1f} MB, checkpoint {:.2f} MB\n",
             static_cast<double>(must(store->base()).value_or("").size()) / 1e6,
             static_cast<double>(must(store->checkpoint()).value_or("").size()) / 1e6);
  fmt::print("predictions {}, refused frames {}, bytes on disk {:.1f} MB, hot state and base included\n",
             engine->progress().predictions, source.refused(), static_cast<double>(store->bytes_on_disk()) / 1e6);
  return 0;
}
