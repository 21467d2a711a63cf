"""What concerns the whole suite."""

import gc
import os
import signal

import pytest
from hypothesis import find, settings, strategies

# How long an example takes says more of the machine than of the code.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


# With them pytest cuts no line of its summary and repeats a message of several lines there. The tests read what a
# developer sees; the sessions that they start are to print the same on a build server.
for name in ("CI", "BUILD_NUMBER"):
    os.environ.pop(name, None)

# A shell without job control starts what it puts into the background (`.ci/run &`) with Ctrl-C ignored, and sessions that
# tests start and interrupt would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Thousands of tests and all modules are not to be looked through whenever garbage is collected."""
    # Hypothesis makes its random generator at its first example and warns if nothing refers to it; what is frozen shows no
    # references, on Python 3.14 that of the module included.
    find(strategies.none(), lambda _: True)
    gc.collect()
    gc.freeze()
