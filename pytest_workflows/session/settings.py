"""Ini options and marker, read into one frozen record."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflows.exploration.explorer import ALL, Exploration
from pytest_workflows.messages.path_checks import why_no_path, why_not_writable
from pytest_workflows.messages.short_repr import shown, shown_path

from .hooks.durations import read_count
from .report_options import add_report_options

if TYPE_CHECKING:
    from durable_engine import FaultPoint

MARKER = "workflow"
FAILURES_DIR = ".workflows/failures"
RECORD_STEPS = 1000
LIMITS = ("step_output", "event_payload", "storage", "step_name", "instance_id", "batch", "sleep")
_LARGEST = 2**53 - 1
"""The largest number that JSON readers everywhere take."""
_MOST_SECONDS = 1_000_000_000
MARKER_HELP = (
    "workflow(now, seed, timeout, clock, step_limit, unused_mocks, unprovided, allow_network, limits, crash, replay, "
    "ignore_rules): how this test's workflows run; for example "
    'now="2026-01-01T00:00:00Z", timeout=2.0 (real seconds), clock="manual", unused_mocks="ignore".'
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one test's workflows.

    Attributes:
        config: Path of the wrangler configuration, from ini; None searches for it.
        environment: Which `env.NAME` of it holds.
        now: Where the virtual clock starts; None for the real time.
        seed: The seed of ids; None for the test's node id.
        timeout: Real seconds that a wait may take.
        clock: `"auto"`, or `"manual"` where only the test moves the clock.
        step_limit: Overrides the limit of steps of every workflow.
        unused_mocks: `"error"`, or `"ignore"`.
        unprovided: `"error"`, or `"ignore"`: whether the use of what nobody provides fails the test.
        allow_network: Whether `workers.fetch` may go out.
        limits: The platform's limits that this test sets lower (or higher), by name.
        crash: Whether crash exploration takes the test in (True), leaves it out (False), or the option decides (None).
        replay: Whether finished instances are replayed from their storage.
        ignore_rules: Names of rules that are not checked.
        strict: Whether a broken rule fails the test.
        record: Of which tests instances are recorded: `"all"`, `"failed"` or `"none"`.
        redact: Keys whose values are kept out of recordings.
        record_steps: How many steps of an instance a recording's file keeps; 0 for all.
        failures_dir: Where recordings are written, relative to rootdir.
        records_for_reports: Whether every instance is recorded for the reports at the end, whatever is written.
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
    record_steps: int = RECORD_STEPS
    failures_dir: str = FAILURES_DIR
    records_for_reports: bool = False
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
    add_report_options(group)
    group.addoption(
        "--workflows-replay",
        action="append",
        default=[],
        metavar="PATH",
        help="run recordings (a file, or a folder of them) against today's source; without other paths, only these",
    )
    parser.addini("workflows_failures_dir", "where recordings are written (default: .workflows/failures)")
    parser.addini(
        "workflows_record_steps",
        f"how many steps of an instance a recording keeps, first and last ones (default: {RECORD_STEPS}; 0: all)",
    )
    parser.addini(
        "workflows_redact", "keys whose values are kept out of recordings and reports", type="args", default=[]
    )
    parser.addini("workflows_strict", "a broken rule of durable workflows fails the test", type="bool", default=False)
    parser.addini("workflows_ignore_rules", "names of rules that are not checked", type="args", default=[])
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
    """Read the exploration that the command line asks for.

    Raises:
        pytest.UsageError: If an option cannot be read; the message shows the form.
    """
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
    if seed is not None and not (_is_whole(seed) and -_LARGEST <= int(seed) <= _LARGEST):
        raise pytest.UsageError(f"--workflows-seed takes the number of an order, not {shown(seed)}.")
    return Exploration(crash, count, None if seed is None else int(seed))


def _is_whole(text: str) -> bool:
    """Whether a text is a whole number that Python reads: not of other digits than these, and not of thousands."""
    return re.fullmatch(r"-?[0-9]{1,20}", text) is not None


def _whole(text: str) -> int | None:
    return int(text) if _is_whole(text) and 0 < int(text) <= _LARGEST else None


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
    timeout = _ini(config, "workflows_timeout")
    now = _ini(config, "workflows_now") or None
    settings = Settings(
        config=_ini(config, "workflows_config") or None,
        environment=_ini(config, "workflows_wrangler_env") or None,
        now=now,
        ignore_rules=tuple(_ini(config, "workflows_ignore_rules") or ()),
        # Before pytest 9 no option is in force yet when the first conftest is loaded; this is read again after that.
        strict=bool(config.getoption("workflows_strict", False) or _ini(config, "workflows_strict")),
        record=config.getoption("workflows_record", "failed"),
        redact=tuple(_ini(config, "workflows_redact") or ()),
        record_steps=_steps(_ini(config, "workflows_record_steps")),
        dev_vars=bool(_ini(config, "workflows_dev_vars")),
        failures_dir=_failures_dir(config),
        unprovided=_ini(config, "workflows_unprovided") or "error",
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
        _check("ini option workflows_timeout", "timeout", seconds, given=timeout)
        settings = replace(settings, timeout=seconds)
    return settings


_INI_FORMS = {
    "workflows_strict": "true or false",
    "workflows_dev_vars": "yes or no",
    "workflows_redact": "keys with spaces between them, such as: token card_number",
    "workflows_ignore_rules": "names of rules with spaces between them, such as: missing-await reused-id",
}

_INI_TYPES: dict[str, type] = {
    "workflows_strict": bool,
    "workflows_dev_vars": bool,
    "workflows_redact": list,
    "workflows_ignore_rules": list,
}


def _ini(config: pytest.Config, name: str) -> Any:
    """The value of an ini option, also of one that pytest cannot read itself."""
    form = _INI_FORMS.get(name, "a text")
    try:
        value = config.getini(name)
    except (ValueError, TypeError, AttributeError, pytest.UsageError) as error:
        where = f" in {config.inipath}" if config.inipath is not None else ""
        raise pytest.UsageError(
            f"ini option {name}{where} takes {form}; pytest cannot read what is given: {error}."
        ) from None
    fits = value is None or isinstance(value, _INI_TYPES.get(name, str))
    if not fits or (isinstance(value, list) and not all(isinstance(item, str) for item in value)):
        raise pytest.UsageError(f"ini option {name} takes {form}, not {shown(value)}.")
    return value


def _failures_dir(config: pytest.Config) -> str:
    folder: str = _ini(config, "workflows_failures_dir") or FAILURES_DIR
    path = config.rootpath / folder
    reason = why_no_path(str(path)) or ("it is a file, no folder" if os.path.isfile(path) else None)
    if config.getoption("workflows_record", "failed") == "all":
        reason = reason or why_not_writable(path, folder=True)
    if reason is not None:
        raise pytest.UsageError(
            f"ini option workflows_failures_dir: no recordings can be written to {shown_path(path)}: {reason}. Name a "
            "folder that you may write to, or record none: --workflows-record=none"
        )
    return folder


def _steps(text: str) -> int:
    if not text:
        return RECORD_STEPS
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise pytest.UsageError(
            f"ini option workflows_record_steps takes a number of steps from 0 on (0: all), not {shown(text)}."
        )
    return int(text)


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
        raise pytest.UsageError(f"{where}: @pytest.mark.workflow takes keywords only, got {shown(args)}. {_allowed()}")
    for name, value in kwargs.items():
        if name not in _CHECKS:
            close = difflib.get_close_matches(name, _CHECKS, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise pytest.UsageError(
                f"{where}: @pytest.mark.workflow does not know the keyword {name!r}.{hint} {_allowed()}"
            )
        _check(f"{where}: @pytest.mark.workflow({name}=...)", name, value)
    return kwargs


def _check(where: str, name: str, value: object, given: object = None) -> None:
    fits, form = _CHECKS[name]
    if not fits(value):
        raise pytest.UsageError(f"{where} takes {form}, not {shown(value if given is None else given)}.")


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
    return isinstance(value, dict) and all(
        _is_one_of(LIMITS)(name) and _is_count(number) for name, number in value.items()
    )


def _are_rules(value: object) -> bool:
    if not isinstance(value, list | tuple):
        return False
    if not value:
        return True  # nothing is loaded for it
    from pytest_workflows.rules.registry import rule_names

    return all(map(_is_one_of(rule_names()), value))


def _is_one_of(names: Iterable[str]) -> Callable[[object], bool]:
    # The type first: a value may have no hash, or compare itself to a text in its own way.
    return lambda value: isinstance(value, str) and value in names


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _MOST_SECONDS


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_LARGEST <= value <= _LARGEST


def _is_count(value: object) -> bool:
    return _is_int(value) and value > 0  # type: ignore[operator]  # an int by then


_CHECKS: dict[str, tuple[Callable[[object], bool], str]] = {
    "now": (_is_time, "a datetime or an ISO 8601 text such as '2026-01-01T00:00:00Z'"),
    "seed": (_is_int, "an int"),
    "timeout": (_is_seconds, "real seconds, a number above 0"),
    "clock": (_is_one_of(("auto", "manual")), "'auto' or 'manual'"),
    "step_limit": (_is_count, "an int above 0"),
    "unused_mocks": (_is_one_of(("error", "ignore")), "'error' or 'ignore'"),
    "unprovided": (_is_one_of(("error", "ignore")), "'error' or 'ignore'"),
    "allow_network": (_is_flag, "True or False"),
    "limits": (lambda value: _are_limits(value), f"a dict of numbers for some of {', '.join(LIMITS)}"),
    "crash": (_is_flag, "True or False"),
    "replay": (_is_flag, "True or False"),
    "ignore_rules": (
        _are_rules,
        "a list of rules' names such as ['missing-await']",
    ),
}
