"""The options of the command line; those of the reports at the end of the session are in `report_options.py`."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any

import pytest

from .report_options import add_report_options

if TYPE_CHECKING:
    from durable_engine import FaultPoint
    from pytest_workflows.exploration.explorer import Exploration


MOST_SLICES = 1000
"""More than that is a mistake: each slice makes the plain run of its test."""


def add_options(parser: pytest.Parser) -> None:
    """Declare the command line's options."""
    group = parser.getgroup("workflows", "Cloudflare Workflows")
    group.addoption(
        "--workflows-report",
        action="store_true",
        help="show the timeline of every workflow instance, not only of those in failing tests",
    )
    group.addoption(
        "--workflows-durations",
        type=_count,
        metavar="N",
        help="list the N slowest steps in real time and the N longest in virtual time (0: all)",
    )
    group.addoption(
        "--workflows-crash",
        nargs="?",
        const="all",
        metavar="N|POINT",
        help="run every test that uses workflows again for each place where the engine may die, with the engine killed "
        "there; =N draws N of them by seed, ='lost:charge card#1' takes one (a value only with =)",
    )
    group.addoption(
        "--workflows-upgrade-from",
        metavar="REF|PATH",
        help="begin every test that uses workflows on an older source, a git ref or a folder, and deploy today's at "
        "each place where the engine may die: instances in flight must come to their end as they should "
        "(--workflows-crash=N|POINT takes some of the places)",
    )
    group.addoption(
        "--workflows-seeds",
        metavar="N",
        help="run every test in which several things could go first again under N different, reproducible orders",
    )
    group.addoption("--workflows-seed", metavar="K", help="run the tests under the order that seed K gives")
    group.addoption(
        "--workflows-slices",
        metavar="N",
        help="divide the exploration of every test into N items, which plugins hand out like tests (default: as many "
        "as pytest-xdist has workers)",
    )
    group.addoption(
        "--workflows-strict",
        action="store_true",
        help="a workflow that breaks a rule of durable workflows fails its test (ini: workflows_strict)",
    )
    group.addoption(
        "--workflows-record",
        choices=["all", "failed", "none"],
        default="failed",
        help="of which tests each workflow instance is written to a file (default: failed)",
    )
    add_report_options(group)
    group.addoption(
        "--workflows-target",
        metavar="URL",
        help="run the tests' workflows on a server of the platform's API, such as a running `pytest-workflows dev`, in "
        "place of the engine in memory: creates, waits, events and outputs are asked there",
    )
    group.addoption(
        "--workflows-target-worker",
        metavar="URL",
        help="where the Worker of --workflows-target answers (default: at the same address, unless that is the "
        "platform's own)",
    )
    group.addoption(
        "--workflows-replay",
        action="append",
        default=[],
        metavar="PATH",
        help="run recordings (a file, or a folder of them) against today's source; without other paths, only these",
    )


def _count(text: str) -> int:
    """How many steps to list.

    Raises:
        argparse.ArgumentTypeError: If it is no number from 0 on.
    """
    try:
        count = int(text)
    except ValueError:
        count = -1
    if count < 0:
        raise argparse.ArgumentTypeError(f"takes how many steps to list, an int from 0 on (0 lists all), not {text!r}.")
    return count


def read_exploration(config: pytest.Config) -> Exploration:
    """Read the exploration that the command line asks for.

    Raises:
        pytest.UsageError: If an option cannot be read; the message shows the form.
    """
    from pytest_workflows.exploration.explorer import ALL, Exploration
    from pytest_workflows.messages.short_repr import shown

    from .value_checks import LARGEST

    crash: Any = config.getoption("workflows_crash")
    if crash is not None and crash != ALL:
        crash = _whole(crash) if _is_whole(crash) else _fault_point(crash)
        if crash is None:
            raise pytest.UsageError("--workflows-crash=N draws N crash points for each test, from 1 on.")
    seeds = config.getoption("workflows_seeds")
    count = 0 if seeds is None else _whole(seeds)
    if count is None:
        raise pytest.UsageError(f"--workflows-seeds takes a number of orders from 1 on, not {shown(seeds)}.")
    seed = config.getoption("workflows_seed")
    if seed is not None and not (_is_whole(seed) and -LARGEST <= int(seed) <= LARGEST):
        raise pytest.UsageError(f"--workflows-seed takes the number of an order, not {shown(seed)}.")
    return Exploration(crash, count, None if seed is None else int(seed), config.getoption("workflows_upgrade_from"))


def read_slices(config: pytest.Config) -> int | None:
    """Read into how many slices each test's exploration is divided; None where the command line does not say.

    Raises:
        pytest.UsageError: If it is no number from 1 on.
    """
    given = config.getoption("workflows_slices")
    count = None if given is None else _whole(given)
    if given is not None and (count is None or count > MOST_SLICES):
        from pytest_workflows.messages.short_repr import shown

        raise pytest.UsageError(
            f"--workflows-slices takes a number of slices from 1 to {MOST_SLICES}, not {shown(given)}."
        )
    return count


def _is_whole(text: str) -> bool:
    """Whether a text is a whole number that Python reads: not of other digits than these, and not of thousands."""
    return re.fullmatch(r"-?[0-9]{1,20}", text) is not None


def _whole(text: str) -> int | None:
    from .value_checks import LARGEST

    return int(text) if _is_whole(text) and 0 < int(text) <= LARGEST else None


def _fault_point(text: str) -> FaultPoint:
    from durable_engine import FaultPoint, InvalidArgumentError

    try:
        return FaultPoint.parse(text)
    except InvalidArgumentError as error:
        raise pytest.UsageError(
            "--workflows-crash takes nothing, a number of crash points as in --workflows-crash=20, or one of them as "
            f"in --workflows-crash='lost:charge card#1'. {error}"
        ) from None
