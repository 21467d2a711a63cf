"""What the tests of the stand-ins share; its modules are imported by their names."""

import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from d1_databases import database
from object_host import ObjectHost
from plain_host import PlainHost


@pytest.fixture
def host() -> PlainHost:
    return PlainHost()


@pytest.fixture
def objects() -> Iterator[ObjectHost]:
    """A host of Durable Objects."""
    made = ObjectHost()
    yield made
    made.stores.close()


@pytest.fixture
def db() -> Iterator[Any]:
    """A D1 database."""
    made = database()
    yield made
    made._binding._service.store.close()
