"""A shop behind the page, and windows on it in a browser."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "browser"))
sys.path.insert(0, str(Path(__file__).parent))

from chromium import launched
from page_shop import Server, Shop
from page_tab import Tab


@pytest.fixture
def shop() -> Iterator[Shop]:
    found = Shop()
    yield found
    found.close()


@pytest.fixture
def serve(shop: Shop) -> Iterator[Callable[..., Server]]:
    """Starts servers of the shop."""
    servers: list[Server] = []

    def start(port: int = 0) -> Server:
        servers.append(Server(shop, port))
        return servers[-1]

    yield start
    for one in servers:
        one.close()


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    return serve()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as found:
        yield found


@pytest.fixture
def new_tab(browser: Any, server: Server) -> Iterator[Callable[..., Tab]]:
    """Opens windows on the page."""
    tabs: list[Tab] = []

    def open(view: str = "", **options: Any) -> Tab:
        tabs.append(Tab(browser, server.address, **options))
        tabs[-1].open(view)
        return tabs[-1]

    yield open
    for one in tabs:
        one.close()
    assert [error for one in tabs for error in one.errors] == []
    assert [url for one in tabs for url in one.requests if not url.startswith((server.address, "blob:"))] == []


@pytest.fixture
def tab(new_tab: Callable[..., Tab]) -> Tab:
    return new_tab()
