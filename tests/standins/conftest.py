"""What the tests of the stand-ins share; its modules are imported by their names."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from plain_host import PlainHost


@pytest.fixture
def host() -> PlainHost:
    return PlainHost()
