"""Chromium for tests. Where there is none they are skipped, unless WORKFLOWS_NEED_BROWSER is set."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


def find_chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found is not None:
            return found
    reason = "there is no Chromium: apt-get install chromium"
    if os.environ.get("WORKFLOWS_NEED_BROWSER"):
        pytest.fail(f"WORKFLOWS_NEED_BROWSER is set, but {reason}")
    pytest.skip(reason)


@contextmanager
def launched() -> Iterator[Any]:
    """A browser for the length of a block.

    No longer than a module: while Playwright is started, an event loop runs that other modules' tests would meet.
    """
    executable = find_chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS.split())
        yield browser
        browser.close()
