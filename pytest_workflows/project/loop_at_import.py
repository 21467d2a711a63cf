"""The explanation for a Worker's module that wants a running event loop while it is imported, where none runs."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from traceback import walk_tb

_SAID_BY_ASYNCIO = ("no running event loop", "There is no current event loop")


def wants_loop(error: BaseException) -> bool:
    """Whether asyncio says that no event loop runs."""
    return isinstance(error, RuntimeError) and str(error).startswith(_SAID_BY_ASYNCIO)


def explain_missing_loop(error: BaseException, is_workers: Callable[[str], bool]) -> str | None:
    """Explain an error of a Worker's module that was imported without a running event loop: fact, cause, next step.

    Args:
        error: The error.
        is_workers: Says of a file whether it is the Worker's.

    Returns:
        The text; None where it is another error, or was raised by other code than that of a Worker's module.
    """
    if not wants_loop(error):
        return None
    places = [
        (frame.f_code.co_filename, line)
        for frame, line in walk_tb(error.__traceback__)
        if frame.f_code.co_name == "<module>" and is_workers(frame.f_code.co_filename)
    ]
    if not places:
        return None
    file, line = places[-1]
    shown = linecache.getline(file, line).strip()
    return (
        f"{file}:{line}: `{shown}` needs a running event loop while the module is imported, and none runs here: the "
        "module is imported by a test file, or by a test or a fixture that is not async. On the platform a loop runs "
        "by then, the same for all. Do this where it is first needed, in `run`, a handler or a step. To leave the "
        "module as it is, give all tests one loop (asyncio_default_test_loop_scope = session and "
        "asyncio_default_fixture_loop_scope = session in the [pytest] section), and import the module first in an "
        "async fixture with scope='session' and autouse=True."
    )
