"""The settings of a test: what ini options, the command line and markers say, as one frozen record.

Ini options are declared in `ini_options.py`, the marker's keywords in `marker.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from .ini_options import FAILURES_DIR, INI_OPTIONS, RECORD_STEPS
from .marker import read_marker
from .use_signs import MARKER

OWN_SETTINGS = pytest.StashKey[Mapping[str, Any]]()
"""What an item of ours sets itself, whatever ini and markers say."""


class Settings(msgspec.Struct, frozen=True):
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
        upgrade: Whether a check of an upgrade takes the test in.
        replay: Whether finished instances are replayed from their storage.
        ignore_rules: Names of rules that are not checked.
        ignore_state: Bindings, and tables of them, whose contents a crash may change.
        strict: Whether a broken rule fails the test.
        record: Of which tests instances are recorded: `"all"`, `"failed"` or `"none"`.
        redact: Keys whose values are kept out of recordings.
        record_steps: How many steps of an instance a recording's file keeps; 0 for all.
        failures_dir: Where recordings are written, relative to rootdir.
        records_for_reports: Whether every instance is recorded for the reports at the end, whatever is written.
        dev_vars: Whether `.dev.vars` beside the configuration is read.
        plan: The plan of the account that the Worker is deployed to: `"free"` or `"paid"`.
        workers: The folders of the Workers that belong together, from ini; None searches the repository for them.
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
    limits: Mapping[str, int] = msgspec.field(default_factory=dict)
    crash: bool | None = None
    upgrade: bool = True
    replay: bool = True
    ignore_rules: tuple[str, ...] = ()
    ignore_state: tuple[str, ...] = ()
    strict: bool = False
    record: str = "failed"
    redact: tuple[str, ...] = ()
    record_steps: int = RECORD_STEPS
    failures_dir: str = FAILURES_DIR
    records_for_reports: bool = False
    dev_vars: bool = True
    plan: str = "paid"
    workers: tuple[Path, ...] | None = None

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
            if "ignore_state" in given:
                given["ignore_state"] = (*settings.ignore_state, *given["ignore_state"])
            settings = msgspec.structs.replace(settings, **given)
        own = item.stash.get(OWN_SETTINGS, {})
        return msgspec.structs.replace(settings, **own) if own else settings


def read_ini(config: pytest.Config) -> Settings:
    """The settings that ini gives, and the command line where it has a say in them.

    Raises:
        pytest.UsageError: If an option cannot be read.
    """
    values = {option.field: option.value(config) for option in INI_OPTIONS}
    given: dict[str, Any] = {field: value for field, value in values.items() if value is not None}
    # Before pytest 9 no option is in force yet when the first conftest is loaded; this is read again after that.
    given["strict"] = bool(config.getoption("workflows_strict", False) or given.get("strict"))
    return Settings(record=config.getoption("workflows_record", "failed"), **given)
