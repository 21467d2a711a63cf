"""What the tests of the stand-ins share; its modules are imported by their names."""

import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from d1_databases import database
from kept_folders import KeptFolder
from object_host import ObjectHost
from plain_host import PlainHost

from pytest_workflows.standins.d1_store import D1Store
from pytest_workflows.standins.keeping import Keeper
from pytest_workflows.standins.stores import Stores


@pytest.fixture
def host() -> PlainHost:
    return PlainHost()


@pytest.fixture(params=["in memory", "kept"])
def objects(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Iterator[ObjectHost]:
    """A host of Durable Objects, in memory and in files."""
    keeper = None if request.param == "in memory" else Keeper.open(tmp_path / "state")
    made = ObjectHost(Stores(keeper=keeper))
    yield made
    made.stores.close()
    if keeper is not None:
        keeper.close()


@pytest.fixture(autouse=True)
def unsynchronised(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file of a test waits for its device."""
    monkeypatch.setattr("pytest_workflows.standins.sqlite.database.SYNCHRONOUS", "off")


@pytest.fixture
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeptFolder]:
    """A folder in which contents are kept; nothing waits for who has locked it."""
    monkeypatch.setattr("pytest_workflows.standins.keeping.state_file.LOCK_WAIT", 0)
    monkeypatch.setattr("pytest_workflows.standins.sqlite.database.LOCK_WAIT", 0)
    made = KeptFolder(tmp_path / "state")
    yield made
    made.close()


@pytest.fixture(params=["in memory", "kept"])
def db(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Iterator[Any]:
    """A D1 database, in memory and in a file."""
    path = None if request.param == "in memory" else tmp_path / "kept.sqlite"
    made = database(D1Store(path=path))
    yield made
    made._binding._service.store.close()
