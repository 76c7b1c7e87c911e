import os
import pathlib

import pytest

from everlearn_cli import Everlearn

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def everlearn(tmp_path_factory):
    folder = pathlib.Path(os.environ.get("EVERLEARN_BIN", REPOSITORY / "build" / "release" / "bin")).resolve()
    if not (folder / "everlearn").exists():
        pytest.fail(f"no program everlearn in {folder}: build it, or set EVERLEARN_BIN")
    return Everlearn(folder, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="session")
def recordings():
    folder = REPOSITORY / "recordings"
    if not (folder / "sp500_prices.csv.gz").exists():
        pytest.skip("recordings/ is empty: run scripts/bootstrap")
    return folder


@pytest.fixture(scope="session")
def shared_data():
    folder = pathlib.Path(os.environ.get("EVERLEARN_SHARED", REPOSITORY.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip("the shared recordings are not here: set EVERLEARN_SHARED")
    return folder
