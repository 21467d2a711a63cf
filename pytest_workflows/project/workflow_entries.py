"""Workflows in a wrangler configuration: those of `workflows`, and those of `exports`.

The rules are wrangler's own (4.164.0, `wrangler deploy`): what it refuses is refused, what it warns of is warned of.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn, Protocol

import msgspec

from pytest_workflows.messages.short_repr import kind_of, shown_setting

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
_MOST_STEPS = 25_000
_JURISDICTIONS = ("eu", "fedramp", "us")
_SETTINGS = ("limits", "concurrency", "schedules", "default_retention", "jurisdiction")
_BINDING_KEYS = ("binding", "name", "class_name", "script_name", *_SETTINGS)
_EXPORT_KEYS = ("type", "name", *_SETTINGS)
_EXPORT_TYPES = ("durable-object", "worker", "workflow")


class WorkflowBindingConfig(msgspec.Struct, frozen=True):
    """A workflow that the configuration declares.

    Attributes:
        binding: The binding's name in `env`; of a workflow that is only exported, the engine's name for it.
        name: The workflow's own name.
        class_name: The class in `main`.
        script_name: Another Worker that has the class, or None.
        step_limit: `limits.steps`, or None.
        line: Where the configuration names the class.
        schedules: The cron expressions that start it.
        concurrency: `concurrency.limit`, or None.
        success_retention: For how long an instance is kept that completed, as written, or None.
        error_retention: For how long an instance is kept that failed, as written, or None.
    """

    binding: str
    name: str
    class_name: str
    script_name: str | None
    step_limit: int | None
    line: int
    schedules: tuple[str, ...] = ()
    concurrency: int | None = None
    success_retention: int | str | None = None
    error_retention: int | str | None = None


Near = tuple[str | int, ...]
"""The keys and values that lead to a place in the file, and the indexes of entries of lists."""


class Report(Protocol):
    """A report of mistakes, by the keys and values that lead to them in the file."""

    def fail(self, near: Near, what: str) -> NoReturn:
        """Refuse the configuration."""

    def warn(self, near: Near, what: str) -> None:
        """Warn of something that wrangler warns of."""

    def line_of(self, *texts: str | int) -> int:
        """The line of the last of these keys and values."""


class WorkflowReader:
    """A reader of the workflows in a configuration.

    Args:
        report: Where mistakes are reported.
        own_names: The names of the Worker itself.
    """

    def __init__(self, report: Report, own_names: set[str | None]) -> None:
        self._report = report
        self._own_names = own_names
        self._entries: list[dict[str, Any]] = []

    # -- workflows ---------------------------------------------------------------------------------------------------

    def bindings(self, entries: object) -> tuple[WorkflowBindingConfig, ...]:
        """The workflow bindings, from `workflows`."""
        if not isinstance(entries, list):
            self._report.fail(("workflows",), f"workflows is {kind_of(entries)}, not a list of workflows.")
        found = [self._binding(index, entry) for index, entry in enumerate(entries)]
        for index, binding in enumerate(found):
            first = next(place for place, other in enumerate(found) if other.name == binding.name)
            if first != index:
                self._report.fail(
                    ("workflows", index, binding.name),
                    f"workflows[{index}].name is {binding.name!r}, and so is workflows[{first}].name. Names of "
                    "workflows are unique: give one of them another name.",
                )
        return tuple(found)

    def _binding(self, index: int, entry: object) -> WorkflowBindingConfig:
        where, near = f"workflows[{index}]", ("workflows", index)
        if not isinstance(entry, dict):
            self._report.fail(("workflows",), f"{where} is {kind_of(entry)}, not a table.")
        self._entries.append(entry)
        for key in ("binding", "name", "class_name"):
            if key not in entry:
                found = ", ".join(entry) or "nothing"
                self._report.fail(near, f'{where} has no "{key}" (found: {found}).')
            if not isinstance(entry[key], str) or not entry[key]:
                self._report.fail((*near, key), f"{where}.{key} is {shown_setting(entry[key])}, not a text.")
        script = entry.get("script_name")
        if "script_name" in entry and not isinstance(script, str):
            self._fail(near, where, "script_name", f"is {shown_setting(script)}, not a text")
        self._check_name((*near, "name"), where, entry["name"])
        settings = self._settings(near, where, entry)
        warn_of_unknown(self._report, near, where, entry, _BINDING_KEYS)
        return WorkflowBindingConfig(
            entry["binding"],
            entry["name"],
            entry["class_name"],
            None if script in self._own_names else script,
            line=self._report.line_of(*near, entry["class_name"]),
            **settings,
        )

    # -- exports -----------------------------------------------------------------------------------------------------

    def exports(self, table: object) -> tuple[tuple[WorkflowBindingConfig, ...], dict[str, str]]:
        """The workflows that `exports` declares, called by their classes; and what else it declares, with its type."""
        if not isinstance(table, dict):
            self._report.fail(("exports",), f"exports is {kind_of(table)}, not a table of exports by their class.")
        workflows: dict[str, WorkflowBindingConfig] = {}
        others: dict[str, str] = {}
        for class_name, entry in table.items():
            where = f"exports.{class_name}"
            if not isinstance(entry, dict):
                self._report.fail(("exports", class_name), f"{where} is {kind_of(entry)}, not a table.")
            if entry.get("type") not in _EXPORT_TYPES:
                listed = ", ".join(f'"{one}"' for one in _EXPORT_TYPES)
                given = f"is {shown_setting(entry['type'])}" if "type" in entry else "is missing"
                self._report.fail(("exports", class_name, "type"), f"{where}.type {given}. Write one of {listed}.")
            if entry["type"] != "workflow":
                others[class_name] = entry["type"]
                continue
            export = self._export(where, class_name, entry)
            if export.name in workflows:
                self._report.fail(
                    ("exports", class_name, export.name),
                    f"{where}.name is {export.name!r}, and so is exports.{workflows[export.name].class_name}.name. "
                    "Names of workflows are unique: give one of them another name.",
                )
            workflows[export.name] = export
        return tuple(workflows.values()), others

    def _export(self, where: str, class_name: str, entry: Mapping[str, Any]) -> WorkflowBindingConfig:
        near = ("exports", class_name)
        name = entry.get("name")
        if not isinstance(name, str):
            given = (
                f"is {shown_setting(name)}, not a text"
                if "name" in entry
                else "is missing: it is the workflow's own name"
            )
            self._report.fail((*near, "name"), f"{where}.name {given}.")
        self._check_name((*near, name), where, name)
        settings = self._settings(near, where, entry)
        warn_of_unknown(self._report, near, where, entry, _EXPORT_KEYS)
        return WorkflowBindingConfig(class_name, name, class_name, None, line=self._report.line_of(*near), **settings)

    # -- both --------------------------------------------------------------------------------------------------------

    def joined(
        self, bindings: Sequence[WorkflowBindingConfig], exports: Sequence[WorkflowBindingConfig]
    ) -> tuple[tuple[WorkflowBindingConfig, ...], tuple[WorkflowBindingConfig, ...]]:
        """Bindings and exports, where a workflow may be both: with the export's settings, and called by its binding."""
        by_name = {export.name: export for export in exports}
        joined = [
            self._join(index, binding, by_name[binding.name]) if binding.name in by_name else binding
            for index, binding in enumerate(bindings)
        ]
        names = {binding.name: binding.binding for binding in bindings}
        taken = set(names.values())
        called = [
            msgspec.structs.replace(
                export,
                binding=names.get(export.name)
                or (f"exports.{export.class_name}" if export.class_name in taken else export.class_name),
            )
            for export in exports
        ]
        return tuple(joined), tuple(called)

    def _join(self, index: int, binding: WorkflowBindingConfig, export: WorkflowBindingConfig) -> WorkflowBindingConfig:
        entry, declared = self._entries[index], f"exports.{export.class_name}"
        where, near = f"workflows[{index}]", ("workflows", index)
        if binding.script_name is not None:
            self._report.fail(
                (*near, "script_name"),
                f"{where} is the workflow {binding.name!r} of the Worker {binding.script_name!r}, and {declared} "
                "declares one of that name in this Worker. Names of workflows are unique in an account: remove "
                '"script_name", or give the export another name.',
            )
        if binding.class_name != export.class_name:
            self._report.fail(
                (*near, "class_name"),
                f"{where} says that the workflow {binding.name!r} is the class {binding.class_name!r}, and {declared} "
                f"that it is {export.class_name!r}. Write the same class, or give one of them another name.",
            )
        for key in _SETTINGS:
            if key in entry:
                self._report.fail(
                    (*near, key),
                    f"{where}.{key} is a setting of the workflow {binding.name!r}, which {declared} declares. Move "
                    f'"{key}" to {declared}.',
                )
        return msgspec.structs.replace(export, binding=binding.binding, line=binding.line)

    def _check_name(self, near: Near, where: str, name: str) -> None:
        if not _NAME.fullmatch(name):
            length = f" It has {len(name)}." if len(name) > 64 else ""
            self._report.fail(
                near,
                f"{where}.name is {name!r}, which is no name of a workflow. Write 1 to 64 of A-Z, a-z, 0-9, _ and -, "
                f"not beginning with -.{length}",
            )

    def _settings(self, near: Near, where: str, entry: Mapping[str, Any]) -> dict[str, Any]:
        jurisdiction = entry.get("jurisdiction")
        if "jurisdiction" in entry and jurisdiction not in _JURISDICTIONS:
            listed = ", ".join(f'"{one}"' for one in _JURISDICTIONS)
            self._fail(near, where, "jurisdiction", f"is {shown_setting(jurisdiction)}. Write one of {listed}")
        retention = self._table(near, where, entry, "default_retention", ("success_retention", "error_retention"))
        return {
            "step_limit": self._steps(near, where, entry),
            "schedules": self._schedules(near, where, entry),
            "concurrency": self._concurrency(near, where, entry),
            **{key: self._retention(near, where, key, retention[key]) for key in retention},
        }

    def _table(
        self, near: Near, where: str, entry: Mapping[str, Any], key: str, known: tuple[str, ...]
    ) -> dict[str, Any]:
        """A table of settings in an entry, without what nobody knows."""
        table = entry.get(key, {})
        if not isinstance(table, dict):
            self._fail(near, where, key, f"is {kind_of(table)}, not a table")
        warn_of_unknown(self._report, (*near, key), f"{where}.{key}", table, known)
        return {name: value for name, value in table.items() if name in known}

    def _steps(self, near: Near, where: str, entry: Mapping[str, Any]) -> int | None:
        table = self._table(near, where, entry, "limits", ("steps",))
        if "steps" not in table:
            return None
        steps = whole(table["steps"])
        if steps is None or steps < 1:
            self._fail(
                near, where, "limits.steps", f"is {shown_setting(table['steps'])}, not a number of steps from 1 on"
            )
        if steps > _MOST_STEPS:
            self._report.warn(
                (*near, "limits", "steps"),
                f"{where}.limits.steps is {steps}, and production has at most {_MOST_STEPS}: this may not work there.",
            )
        return steps

    def _concurrency(self, near: Near, where: str, entry: Mapping[str, Any]) -> int | None:
        table = self._table(near, where, entry, "concurrency", ("limit",))
        if "limit" not in table:
            return None
        limit = whole(table["limit"])
        if limit is None or limit < 1:
            what = f"is {shown_setting(table['limit'])}, not a number of instances from 1 on"
            self._fail(near, where, "concurrency.limit", what)
        return limit

    def _schedules(self, near: Near, where: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
        given = entry.get("schedules", ())
        if "schedules" not in entry:
            return ()
        crons = [given] if isinstance(given, str) else given
        if not isinstance(crons, list) or not crons or not all(isinstance(cron, str) and cron for cron in crons):
            what = f'is {shown_setting(given)}. Write a cron expression or a list of them, such as ["0 * * * *"]'
            self._fail(near, where, "schedules", what)
        return tuple(crons)

    def _retention(self, near: Near, where: str, key: str, given: object) -> int | str:
        number = whole(given)
        if number is not None and number > 0:
            return number
        if not isinstance(given, str) or not given:
            what = 'Write a duration such as "3 days", or a whole number of milliseconds above 0'
            self._fail(near, where, f"default_retention.{key}", f"is {shown_setting(given)}. {what}")
        return given

    def _fail(self, near: Near, where: str, key: str, what: str) -> NoReturn:
        self._report.fail((*near, *key.split(".")), f"{where}.{key} {what}.")


def warn_of_unknown(report: Report, near: Near, where: str, table: Mapping[str, Any], known: Iterable[str]) -> None:
    """Warn of each key of a table that wrangler does not know.

    Args:
        report: What is warned.
        near: The keys and values that lead to the table.
        where: The table, for a reader: `queues.consumers[0]`.
        table: The table.
        known: The keys that it may have.
    """
    known = list(known)
    for key in table:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f' Did you mean "{close[0]}"?' if close else ""
            report.warn(
                (*near, key),
                f'{where} has the key "{key}", which wrangler does not know: it has no effect.{hint} Known: '
                f"{', '.join(known)}.",
            )


def whole(value: object) -> int | None:
    """A whole number as JSON has one, `25.0` included; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value == value // 1 else None
