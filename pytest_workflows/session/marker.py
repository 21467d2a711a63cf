"""The marker `@pytest.mark.workflow(...)`: its keywords, what each takes, and how it is read.

A keyword is declared once, in `KEYWORDS`: under the name of the field of `Settings` that it sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from .use_signs import MARKER
from .value_checks import CLOCK, COUNT, FLAG, INT, RULE_NAMES, SECONDS, SEVERITY, SIZES, STORES, TIME, Check

KEYWORDS: dict[str, Check] = {
    "now": TIME,
    "seed": INT,
    "timeout": SECONDS,
    "clock": CLOCK,
    "step_limit": COUNT,
    "unused_mocks": SEVERITY,
    "unprovided": SEVERITY,
    "allow_network": FLAG,
    "limits": SIZES,
    "crash": FLAG,
    "upgrade": FLAG,
    "replay": FLAG,
    "ignore_rules": RULE_NAMES,
    "ignore_state": STORES,
}
"""What each keyword takes, by its name: the one place to declare one."""
HELP = (
    f"{MARKER}({', '.join(KEYWORDS)}): how this test's workflows run; for example "
    'now="2026-01-01T00:00:00Z", timeout=2.0 (real seconds), clock="manual", unused_mocks="ignore".'
)


def read_marker(args: tuple[Any, ...], kwargs: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Check a marker's arguments.

    Args:
        args: Its positional arguments; there must be none.
        kwargs: Its keywords.
        where: The test's node id.

    Raises:
        pytest.UsageError: If one of them is not allowed.
    """
    from pytest_workflows.messages.short_repr import shown

    if args:
        raise pytest.UsageError(f"{where}: @pytest.mark.workflow takes keywords only, got {shown(args)}. {_allowed()}")
    for name, value in kwargs.items():
        if name not in KEYWORDS:
            import difflib

            close = difflib.get_close_matches(name, KEYWORDS, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise pytest.UsageError(
                f"{where}: @pytest.mark.workflow does not know the keyword {name!r}.{hint} {_allowed()}"
            )
        KEYWORDS[name].refuse_others(f"{where}: @pytest.mark.workflow({name}=...)", value)
    return kwargs


def check_markers(items: Iterable[pytest.Item]) -> None:
    """Refuse what a marker may not say, before any test runs.

    Raises:
        pytest.UsageError: If one says such a thing.
    """
    from .property_tests import is_property_test

    for item in items:
        for mark in item.iter_markers(MARKER):
            given = read_marker(mark.args, mark.kwargs, item.nodeid)
            if given.get("crash") and is_property_test(item):
                raise pytest.UsageError(
                    f"{item.nodeid}: @pytest.mark.workflow(crash=True) explores one run, and a property test has "
                    "many. Draw where it crashes with pytest_workflows.strategies.fault_plans()."
                )


def _allowed() -> str:
    return f"Allowed: {', '.join(f'{name} ({check.form})' for name, check in KEYWORDS.items())}."
