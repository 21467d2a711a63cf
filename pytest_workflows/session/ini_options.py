"""The ini options: each is declared, with its default, its reading and its errors, as one entry of `INI_OPTIONS`.

An entry names the field of `Settings` that it sets; where the option is not set, the field's own default holds.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest

FAILURES_DIR = ".workflows/failures"
RECORD_STEPS = 1000

_Given = str | bool | list[str]
_Read = Callable[[Any, pytest.Config], object]


def _as_given(value: _Given, config: pytest.Config) -> _Given:
    return value


class IniOption(NamedTuple):
    """An ini option.

    Attributes:
        name: Its name.
        field: The field of `Settings` that it sets.
        help: For `pytest --help`.
        kind: How pytest reads it: a text, or as this says.
        default: What is read where it is not set; None leaves the field's own default.
        form: What it takes, for the message where pytest cannot read it.
        read: Makes the field's value from what pytest read, and raises pytest.UsageError where it is not as it must be.
    """

    name: str
    field: str
    help: str
    kind: Literal["args", "bool"] | None = None
    default: _Given | None = None
    form: str = "a text"
    read: _Read = _as_given

    def declare(self, parser: pytest.Parser) -> None:
        """Declare it to pytest."""
        if self.kind is None:
            parser.addini(self.name, self.help)
        else:
            parser.addini(self.name, self.help, type=self.kind, default=self.default)

    def is_set(self, config: pytest.Config) -> bool:
        """Whether it is set to anything but its default, be it such a thing as cannot be read."""
        try:
            given: object = config.getini(self.name)
        except Exception:
            return True
        return given not in (None, "", [], self.default)

    def value(self, config: pytest.Config) -> object:
        """What the field is to be; None leaves its own default.

        Raises:
            pytest.UsageError: If it cannot be read.
        """
        given = self._given(config)
        if given in (None, "", []):
            given = self.default
        return None if given is None else self.read(given, config)

    def _given(self, config: pytest.Config) -> _Given | None:
        """What it is set to, whatever pytest says of one that it cannot read itself."""
        try:
            value: Any = config.getini(self.name)
        except (ValueError, TypeError, AttributeError, pytest.UsageError) as error:
            where = f" in {config.inipath}" if config.inipath is not None else ""
            raise pytest.UsageError(
                f"ini option {self.name}{where} takes {self.form}; pytest cannot read what is given: {error}."
            ) from None
        from pytest_workflows.messages.short_repr import shown

        wanted = {None: str, "args": list, "bool": bool}[self.kind]
        fits = value is None or isinstance(value, wanted)
        if not fits or (isinstance(value, list) and not all(isinstance(item, str) for item in value)):
            raise pytest.UsageError(f"ini option {self.name} takes {self.form}, not {shown(value)}.")
        return value  # type: ignore[no-any-return]


# -- how some are read -------------------------------------------------------------------------------------------------


def _folder(folder: str, config: pytest.Config) -> str:
    from pytest_workflows.messages.path_checks import why_no_path, why_not_writable
    from pytest_workflows.messages.short_repr import shown_path

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


def _steps(text: str, config: pytest.Config) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        from pytest_workflows.messages.short_repr import shown

        raise pytest.UsageError(
            f"ini option workflows_record_steps takes a number of steps from 0 on (0: all), not {shown(text)}."
        )
    return int(text)


def _rules(names: list[str], config: pytest.Config) -> tuple[str, ...]:
    from .value_checks import RULE_NAMES

    RULE_NAMES.refuse_others("ini option workflows_ignore_rules", names)
    return tuple(names)


def _keys(names: list[str], config: pytest.Config) -> tuple[str, ...]:
    return tuple(names)


def _workers(patterns: list[str], config: pytest.Config) -> tuple[Path, ...] | None:
    from pytest_workflows.errors import WorkflowConfigError
    from pytest_workflows.project.worker_registry import folders_of

    if not patterns:
        return None
    try:
        return tuple(folders_of(patterns, config.rootpath))
    except WorkflowConfigError as error:
        raise pytest.UsageError(str(error)) from None


def _timeout(text: str, config: pytest.Config) -> float:
    from .value_checks import SECONDS

    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    SECONDS.refuse_others("ini option workflows_timeout", seconds, given=text)
    return seconds


def _severity(text: str, config: pytest.Config) -> str:
    from .value_checks import SEVERITY

    SEVERITY.refuse_others("ini option workflows_unprovided", text)
    return text


def _plan(text: str, config: pytest.Config) -> str:
    from .value_checks import PLAN

    PLAN.refuse_others("ini option workflows_plan", text)
    return text


def _now(text: str, config: pytest.Config) -> str:
    from .value_checks import TIME

    TIME.refuse_others("ini option workflows_now", text)
    return text


INI_OPTIONS = (
    IniOption(
        "workflows_failures_dir",
        "failures_dir",
        "where recordings are written (default: .workflows/failures)",
        default=FAILURES_DIR,
        read=_folder,
    ),
    IniOption(
        "workflows_record_steps",
        "record_steps",
        f"how many steps of an instance a recording keeps, first and last ones (default: {RECORD_STEPS}; 0: all)",
        read=_steps,
    ),
    IniOption(
        "workflows_redact",
        "redact",
        "keys whose values are kept out of recordings and reports",
        kind="args",
        default=[],
        form="keys with spaces between them, such as: token card_number",
        read=_keys,
    ),
    IniOption(
        "workflows_strict",
        "strict",
        "a broken rule of durable workflows fails the test",
        kind="bool",
        default=False,
        form="true or false",
    ),
    IniOption(
        "workflows_ignore_rules",
        "ignore_rules",
        "names of rules that are not looked at",
        kind="args",
        default=[],
        form="names of rules with spaces between them, such as: missing-await reused-id",
        read=_rules,
    ),
    IniOption(
        "workflows_config",
        "config",
        "path of wrangler.jsonc, .json or .toml (found beside the tests by default)",
    ),
    IniOption(
        "workflows_workers",
        "workers",
        "folders of the Workers that belong together, such as apps/* (by default the repository is searched for them)",
        kind="args",
        default=[],
        form="folders with spaces between them, such as: apps/* gateway",
        read=_workers,
    ),
    IniOption(
        "workflows_wrangler_env",
        "environment",
        "which environment (env.NAME) of the wrangler configuration holds",
    ),
    IniOption(
        "workflows_dev_vars",
        "dev_vars",
        "whether .dev.vars beside the configuration is read (default: yes)",
        kind="bool",
        default=True,
        form="yes or no",
    ),
    IniOption(
        "workflows_timeout",
        "timeout",
        "real seconds that a wait for a workflow may take (default: 5)",
        read=_timeout,
    ),
    IniOption(
        "workflows_unprovided",
        "unprovided",
        "error or ignore: whether a test fails whose Worker uses what nobody provides (default: error)",
        read=_severity,
    ),
    IniOption(
        "workflows_plan",
        "plan",
        "free or paid: whose limits hold, those of the Workers Free or the Workers Paid plan (default: paid)",
        read=_plan,
    ),
    IniOption(
        "workflows_now",
        "now",
        "where the virtual clock starts, as 2026-01-01T00:00:00Z (default: real time)",
        read=_now,
    ),
)
"""All ini options: the one place to declare one."""


def add_ini_options(parser: pytest.Parser) -> None:
    """Declare the ini options."""
    for option in INI_OPTIONS:
        option.declare(parser)
