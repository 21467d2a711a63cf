"""What concerns the whole suite."""

import gc

import hypothesis  # noqa: F401 (it looks for referrers of random generators, of which a frozen one shows none)
import pytest


def pytest_collection_finish(session: pytest.Session) -> None:
    """Thousands of tests and all modules are not to be looked through whenever garbage is collected."""
    gc.collect()
    gc.freeze()
