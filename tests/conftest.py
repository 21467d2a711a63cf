"""What concerns the whole suite."""

import gc

import pytest
from hypothesis import find, settings, strategies

# How long an example takes says more of the machine than of the code.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Thousands of tests and all modules are not to be looked through whenever garbage is collected."""
    # Hypothesis makes its random generator at its first example and warns if nothing refers to it; what is frozen shows no
    # references, on Python 3.14 that of the module included.
    find(strategies.none(), lambda _: True)
    gc.collect()
    gc.freeze()
