"""Ini options and marker, read into one frozen record."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from .durations import read_count
from .exploring import ALL, Exploration
from .look_options import add_look_options

if TYPE_CHECKING:
    from durable_engine import FaultPoint

MARKER = "workflow"
FAILURES_DIR = ".workflows/failures"
LIMITS = ("step_output", "event_payload", "storage", "step_name", "instance_id", "batch", "sleep")
MARKER_HELP = (
    "workflow(now, seed, timeout, clock, step_limit, unused_mocks, unprovided, allow_network, limits, crash, replay, "
    "ignore_rules): how this test's workflows run; for example "
    'now="2026-01-01T00:00:00Z", timeout=2.0 (real seconds), clock="manual", unused_mocks="ignore".'
)


@dataclass(frozen=True, slots=True)
class Settings:
    """How the workflows of one test run.

    Attributes:
        config: Path of the wrangler configuration, from ini; None looks for it.
        environment: Which `env.NAME` of it holds.
        now: Where the virtual clock starts; None for the real time.
        seed: What ids come from; None for the test's node id.
        timeout: Real seconds that a wait may take.
        clock: `"auto"`, or `"manual"` where only the test moves the clock.
        step_limit: Overrides the limit of steps of every workflow.
        unused_mocks: `"error"`, or `"ignore"`.
        unprovided: `"error"`, or `"ignore"`: whether the use of what nobody provides fails the test.
        allow_network: Whether `workers.fetch` may go out.
        limits: The platform's limits that this test sets lower (or higher), by name.
        crash: Whether crash exploration takes the test in (True), leaves it out (False), or the option decides (None).
        replay: Whether finished instances are replayed from their storage.
        ignore_rules: Names of rules that are not looked at.
        strict: Whether a broken rule fails the test.
        record: Of which tests instances are recorded: `"all"`, `"failed"` or `"none"`.
        redact: Keys whose values are kept out of recordings.
        failures_dir: Where recordings are written, relative to rootdir.
        looked_at: Whether every instance is recorded for what is shown at the end, whatever is written.
        dev_vars: Whether `.dev.vars` beside the configuration is read.
    """

    config: str | None = None
    environment: str | None = None
    now: str | datetime | None = None
    seed: int | None = None
    timeout: float = 5.0
    clock: str = "auto"
    step_limit: int | None = None
    unused_mocks: str = "error"
    unprovided: str = "error"
    allow_network: bool = False
    limits: Mapping[str, int] = field(default_factory=dict)
    crash: bool | None = None
    replay: bool = True
    ignore_rules: tuple[str, ...] = ()
    strict: bool = False
    record: str = "failed"
    redact: tuple[str, ...] = ()
    failures_dir: str = FAILURES_DIR
    looked_at: bool = False
    dev_vars: bool = True

    def for_item(self, item: pytest.Item) -> Settings:
        """These settings with the item's markers applied; the closest marker wins.

        Raises:
            pytest.UsageError: If a marker has an unknown keyword or a value of the wrong type.
        """
        settings = self
        for mark in reversed(list(item.iter_markers(MARKER))):
            given = dict(read_marker(mark.args, mark.kwargs, item.nodeid))
            if "ignore_rules" in given:
                given["ignore_rules"] = (*settings.ignore_rules, *given["ignore_rules"])
            settings = replace(settings, **given)
        return settings


def add_options(parser: pytest.Parser) -> None:
    """Declare the command line's and the ini options."""
    group = parser.getgroup("workflows", "Cloudflare Workflows")
    group.addoption(
        "--workflows-report",
        action="store_true",
        help="show the timeline of every workflow instance, not only of those in failing tests",
    )
    group.addoption(
        "--workflows-durations",
        type=read_count,
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
        "--workflows-seeds",
        metavar="N",
        help="run every test in which several things could go first again under N different, reproducible orders",
    )
    group.addoption("--workflows-seed", metavar="K", help="run the tests under the order that seed K gives")
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
    add_look_options(group)
    group.addoption(
        "--workflows-replay",
        action="append",
        default=[],
        metavar="PATH",
        help="run recordings (a file, or a folder of them) against today's source; without other paths, only these",
    )
    parser.addini("workflows_failures_dir", "where recordings are written (default: .workflows/failures)")
    parser.addini("workflows_redact", "keys whose values are kept out of recordings", type="args", default=[])
    parser.addini("workflows_strict", "a broken rule of durable workflows fails the test", type="bool", default=False)
    parser.addini("workflows_ignore_rules", "names of rules that are not looked at", type="args", default=[])
    parser.addini("workflows_config", "path of wrangler.jsonc, .json or .toml (found beside the tests by default)")
    parser.addini("workflows_wrangler_env", "which environment (env.NAME) of the wrangler configuration holds")
    parser.addini(
        "workflows_dev_vars",
        "whether .dev.vars beside the configuration is read (default: yes)",
        type="bool",
        default=True,
    )
    parser.addini("workflows_timeout", "real seconds that a wait for a workflow may take (default: 5)")
    parser.addini(
        "workflows_unprovided",
        "error or ignore: whether a test fails whose Worker uses what nobody provides (default: error)",
    )
    parser.addini("workflows_now", "where the virtual clock starts, as 2026-01-01T00:00:00Z (default: real time)")


def read_exploration(config: pytest.Config) -> Exploration:
    """What the command line wants to be explored.

    Raises:
        pytest.UsageError: If an option cannot be read; the message shows the form.
    """
    crash: Any = config.getoption("workflows_crash")
    if crash is not None and crash != ALL:
        crash = _whole(crash) if crash.lstrip("-").isdigit() else _fault_point(crash)
        if crash is None:
            raise pytest.UsageError("--workflows-crash=N draws N crash points for each test, from 1 on.")
    seeds = config.getoption("workflows_seeds")
    count = 0 if seeds is None else _whole(seeds)
    if count is None:
        raise pytest.UsageError(f"--workflows-seeds takes a number of orders from 1 on, not {seeds!r}.")
    seed = config.getoption("workflows_seed")
    if seed is not None and not seed.lstrip("-").isdigit():
        raise pytest.UsageError(f"--workflows-seed takes the number of an order, not {seed!r}.")
    return Exploration(crash, count, None if seed is None else int(seed))


def _whole(text: str) -> int | None:
    return int(text) if text.isdigit() and int(text) > 0 else None


def _fault_point(text: str) -> FaultPoint:
    from durable_engine import FaultPoint, InvalidArgumentError

    try:
        return FaultPoint.parse(text)
    except InvalidArgumentError as error:
        raise pytest.UsageError(
            "--workflows-crash takes nothing, a number of crash points as in --workflows-crash=20, or one of them as "
            f"in --workflows-crash='lost:charge card#1'. {error}"
        ) from None


def read_ini(config: pytest.Config) -> Settings:
    """The settings that ini gives.

    Raises:
        pytest.UsageError: If an option cannot be read.
    """
    timeout = config.getini("workflows_timeout")
    now = config.getini("workflows_now") or None
    settings = Settings(
        config=config.getini("workflows_config") or None,
        environment=config.getini("workflows_wrangler_env") or None,
        now=now,
        ignore_rules=tuple(config.getini("workflows_ignore_rules")),
        # Before pytest 9 no option is in force yet when the first conftest is loaded; this is read again after that.
        strict=bool(config.getoption("workflows_strict", False) or config.getini("workflows_strict")),
        record=config.getoption("workflows_record", "failed"),
        redact=tuple(config.getini("workflows_redact")),
        dev_vars=bool(config.getini("workflows_dev_vars")),
        failures_dir=config.getini("workflows_failures_dir") or FAILURES_DIR,
        unprovided=config.getini("workflows_unprovided") or "error",
    )
    _check("ini option workflows_unprovided", "unprovided", settings.unprovided)
    _check("ini option workflows_ignore_rules", "ignore_rules", list(settings.ignore_rules))
    if now is not None:
        _check("ini option workflows_now", "now", now)
    if timeout:
        try:
            seconds = float(timeout)
        except ValueError:
            seconds = -1.0
        _check("ini option workflows_timeout", "timeout", seconds, shown=timeout)
        settings = replace(settings, timeout=seconds)
    return settings


def read_marker(args: tuple[Any, ...], kwargs: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Check a marker's arguments.

    Args:
        args: Its positional arguments; there must be none.
        kwargs: Its keywords.
        where: The test's node id.

    Raises:
        pytest.UsageError: If one of them is not allowed.
    """
    if args:
        raise pytest.UsageError(f"{where}: @pytest.mark.workflow takes keywords only, got {args!r}. {_allowed()}")
    for name, value in kwargs.items():
        if name not in _CHECKS:
            close = difflib.get_close_matches(name, _CHECKS, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise pytest.UsageError(
                f"{where}: @pytest.mark.workflow does not know the keyword {name!r}.{hint} {_allowed()}"
            )
        _check(f"{where}: @pytest.mark.workflow({name}=...)", name, value)
    return kwargs


def _check(where: str, name: str, value: object, shown: object = None) -> None:
    fits, form = _CHECKS[name]
    if not fits(value):
        raise pytest.UsageError(f"{where} takes {form}, not {value if shown is None else shown!r}.")


def _allowed() -> str:
    return f"Allowed: {', '.join(f'{name} ({form})' for name, (_, form) in _CHECKS.items())}."


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_time(value: object) -> bool:
    from durable_engine import InvalidArgumentError, read_now

    try:
        read_now(value)
    except InvalidArgumentError:
        return False
    return True


def _are_limits(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        name in LIMITS and isinstance(number, int) and _is_number(number) for name, number in value.items()
    )


def _are_rules(value: object) -> bool:
    if value == []:
        return True  # nothing is loaded for it
    from durable_engine import RULES

    return isinstance(value, list | tuple) and all(name in RULES for name in value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf")


_CHECKS: dict[str, tuple[Callable[[object], bool], str]] = {
    "now": (_is_time, "a datetime or an ISO 8601 text such as '2026-01-01T00:00:00Z'"),
    "seed": (lambda value: isinstance(value, int) and not isinstance(value, bool), "an int"),
    "timeout": (_is_number, "real seconds, a number above 0"),
    "clock": (lambda value: value in ("auto", "manual"), "'auto' or 'manual'"),
    "step_limit": (lambda value: isinstance(value, int) and _is_number(value), "an int above 0"),
    "unused_mocks": (lambda value: value in ("error", "ignore"), "'error' or 'ignore'"),
    "unprovided": (lambda value: value in ("error", "ignore"), "'error' or 'ignore'"),
    "allow_network": (_is_flag, "True or False"),
    "limits": (lambda value: _are_limits(value), f"a dict of numbers for some of {', '.join(LIMITS)}"),
    "crash": (_is_flag, "True or False"),
    "replay": (_is_flag, "True or False"),
    "ignore_rules": (
        _are_rules,
        "a list of rules' names such as ['missing-await']",
    ),
}
