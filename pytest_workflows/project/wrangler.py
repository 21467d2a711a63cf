"""The wrangler configuration: the bindings and flags of a Worker that matter to a test."""

from __future__ import annotations

import datetime
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.messages.path_checks import why_no_path
from pytest_workflows.messages.short_repr import brief, kind_of, shown, shown_setting

from .binding_config import BindingConfig
from .config_lines import TOML_TOKEN, Lines
from .config_search import NAMES, find_config, folders_to_search
from .workflow_entries import Near, WorkflowBindingConfig, WorkflowReader, warn_of_unknown, whole

__all__ = [
    "NAMES",
    "PYTHON_FLAGS",
    "WorkflowBindingConfig",
    "WranglerConfig",
    "binding_meant",
    "find_config",
    "has_ctx_exports",
    "implicit_dependencies",
    "load_config",
    "nothing_found",
    "python_version",
]

IMPLICIT_SINCE = "2026-02-25"
_CTX_EXPORTS_SINCE = "2025-11-17"
_FIRST_PYTHON = (3, 12)
# As workers-py 1.17.9 (`pywrangler`) has them, newest first.
PYTHON_FLAGS = {
    "python_workers_314": ("2026-09-08", (3, 14)),
    "python_workers_20250116": ("2025-09-29", (3, 13)),
}
"""The compatibility flags that choose a Python: the date since which each holds by itself, and the Python."""
IMPLICIT_FLAG = "python_workflows_implicit_dependencies"
PRESERVE_SINCE = "2026-05-14"
PRESERVE_FLAG = "workflows_preserve_non_retryable_error_message"
REPLACE_FLAG = "workflows_replace_non_retryable_error_message"

# Where each kind of binding is declared, and which key of an entry names it.
_LISTS = {
    "ai_search": "binding",
    "ai_search_namespaces": "binding",
    "analytics_engine_datasets": "binding",
    "artifacts": "binding",
    "d1_databases": "binding",
    "dispatch_namespaces": "binding",
    "flagship": "binding",
    "hyperdrive": "binding",
    "kv_namespaces": "binding",
    "mtls_certificates": "binding",
    "pipelines": "binding",
    "r2_buckets": "binding",
    "ratelimits": "name",
    "secrets_store_secrets": "binding",
    "send_email": "name",
    "services": "binding",
    "vectorize": "binding",
    "vpc_networks": "binding",
    "vpc_services": "binding",
    "worker_loaders": "binding",
}
_SINGLES = ("ai", "assets", "browser", "images", "media", "stream", "version_metadata")
_NESTED = {
    "queues": ("producers", "binding"),
    "durable_objects": ("bindings", "name"),
    "unsafe": ("bindings", "name"),
}
_WHAT_IT_IS = {
    "d1_databases": "database_id",
    "durable_objects.bindings": "class_name",
    "kv_namespaces": "id",
    "queues.producers": "queue",
    "r2_buckets": "bucket_name",
    "services": "service",
}
"""By kind: what a binding is of. wrangler makes a database, a namespace and a bucket that are not named."""
_MADE = frozenset({"d1_databases", "kv_namespaces", "r2_buckets"})
_CONSUMER_KEYS = (
    *("queue", "type", "max_batch_size", "max_batch_timeout", "max_retries", "dead_letter_queue", "max_concurrency"),
    *("visibility_timeout_ms", "retry_delay"),
)
"""What an entry of `queues.consumers` may have (wrangler 4.156)."""
_CONSUMERS = ("worker", "http_pull")
_MOST = {"cpu_ms": 300_000, "subrequests": 10_000_000}
"""What `limits` may have, and the most that the platform documents of each (2026-09-05)."""
_NOT_INHERITED = frozenset({"vars", "secrets", "workflows", *_LISTS, *_SINGLES, *_NESTED}) - {"assets"}

_JSON_TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_NESTING = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|[\[\]{}]')
_LONG_NUMBER = re.compile(r"(?<![\w.\"'])[+-]?\d{4300,}")
_WRITTEN_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_DEEPEST = 100
_TOO_DEEP = f"tables and lists are nested more than {_DEEPEST} deep. wrangler has no setting that is; take some away."
_TOO_LONG = "a number has thousands of digits. wrangler has no setting that takes one; write it as a text."


def binding_meant(workflows: Iterable[WorkflowBindingConfig], name: str | None, bindings: Sequence[str]) -> str | None:
    """The binding of something that names none: its workflow's only one, else the only one there is.

    Args:
        workflows: The workflows of the configuration.
        name: The workflow's own name, if that is known.
        bindings: All that there are.

    Returns:
        None where it may be one of several, or of none.
    """
    meant = [one.binding for one in workflows if one.name == name] or bindings
    return meant[0] if len(meant) == 1 else None


class WranglerConfig(msgspec.Struct, frozen=True):
    """The parts of a configuration that we read.

    Attributes:
        path: The file.
        main: The Worker's main module, or None.
        workflows: The workflow bindings.
        vars: Plain variables in `env`.
        compatibility_date: As written, or None.
        compatibility_flags: As written.
        other_bindings: The bindings that we do not provide: name to kind.
        main_line: Where the configuration names `main`.
        exports: The workflows that `exports` declares; one that has a binding as well is called by it.
        other_exports: The other classes that `exports` declares: class to type.
        required_secrets: `secrets.required`; None where the configuration has no `secrets`.
        warnings: wrangler's warnings: line and text.
        bindings: All other bindings, in the order of their kinds.
        settings: The whole configuration, that of the environment merged into it.
        consumers: The queues that have a consumer here, with the line of each.
        own_names: The Worker's own names: as written, and as deployed to the environment.
        limits: `limits.cpu_ms` and `limits.subrequests`, those that are there.
    """

    path: Path
    main: Path | None = None
    workflows: tuple[WorkflowBindingConfig, ...] = ()
    vars: Mapping[str, Any] = msgspec.field(default_factory=dict)
    compatibility_date: str | None = None
    compatibility_flags: tuple[str, ...] = ()
    other_bindings: Mapping[str, str] = msgspec.field(default_factory=dict)
    main_line: int = 1
    exports: tuple[WorkflowBindingConfig, ...] = ()
    other_exports: Mapping[str, str] = msgspec.field(default_factory=dict)
    required_secrets: tuple[str, ...] | None = None
    warnings: tuple[tuple[int, str], ...] = ()
    bindings: tuple[BindingConfig, ...] = ()
    settings: Mapping[str, Any] = msgspec.field(default_factory=dict)
    consumers: Mapping[str, int] = msgspec.field(default_factory=dict)
    own_names: frozenset[str | None] = frozenset()
    limits: Mapping[str, int] = msgspec.field(default_factory=dict)

    @property
    def name(self) -> str | None:
        """The Worker's name, as written."""
        name: str | None = self.settings.get("name")
        return name

    @property
    def all_workflows(self) -> tuple[WorkflowBindingConfig, ...]:
        """The workflow bindings, and the workflows that are only exported."""
        bound = {one.binding for one in self.workflows}
        return (*self.workflows, *(one for one in self.exports if one.binding not in bound))


def nothing_found(start: Path, rootdir: Path) -> str:
    """The message where no configuration was found: the folders that were searched, and the next step.

    Args:
        start: The file or folder whose configuration was searched for.
        rootdir: pytest's rootdir.
    """
    searched = ", ".join(map(str, folders_to_search(start, rootdir)))
    below = [str(path.relative_to(rootdir)) for name in NAMES for path in sorted(rootdir.glob(f"*/{name}"))]
    example = below[0] if below else f"path/to/{NAMES[1]}"
    there_is = f" There is {', '.join(below[:3])}." if below else ""
    return (
        f"No wrangler configuration was found: {', '.join(NAMES[:-1])} and {NAMES[-1]} were looked for in {searched}."
        f"{there_is} Put one beside the Worker, above its tests, or name it: ini workflows_config = {example}"
    )


def implicit_dependencies(config: WranglerConfig | None) -> bool:
    """Whether a callback's parameters name its dependencies; the newest behaviour where no date says otherwise."""
    return _is_on(config, IMPLICIT_FLAG, f"no_{IMPLICIT_FLAG}", IMPLICIT_SINCE)


def preserves_non_retryable(config: WranglerConfig | None) -> bool:
    """Whether a `NonRetryableError` is shown as it is; the newest behaviour where no date says otherwise."""
    return _is_on(config, PRESERVE_FLAG, REPLACE_FLAG, PRESERVE_SINCE)


def ignores_functions(config: WranglerConfig | None) -> bool:
    """Whether handlers are methods of classes alone, and functions such as `on_fetch` are not called.

    Source: workerd's `python-entrypoint-helper.ts` and its flag `python_no_global_handlers`; not observed.
    """
    return _is_on(config, "python_no_global_handlers", "disable_python_no_global_handlers", "2025-08-14")


def is_flag_on(config: WranglerConfig | None, flag: str, since: str) -> bool:
    """Whether a compatibility flag is on, by its name or by date; the newest behaviour where no date says otherwise.

    Args:
        config: The configuration; None where there is none.
        flag: The flag; `no_` before it turns it off.
        since: The date from which it is on by itself.
    """
    return _is_on(config, flag, f"no_{flag}", since)


def _is_on(config: WranglerConfig | None, flag: str, off: str, since: str) -> bool:
    """Whether a compatibility flag is on, by its name, by the name that turns it off, or by date."""
    if config is None:
        return True
    if off in config.compatibility_flags:
        return False
    if flag in config.compatibility_flags:
        return True
    return config.compatibility_date is None or config.compatibility_date >= since


def python_version(config: WranglerConfig) -> tuple[int, int]:
    """The Python that the platform runs a Worker with; the newest one where no date says otherwise."""
    for flag, (date, version) in PYTHON_FLAGS.items():
        if f"no_{flag}" in config.compatibility_flags:
            continue
        if flag in config.compatibility_flags or config.compatibility_date is None or config.compatibility_date >= date:
            return version
    return _FIRST_PYTHON


def has_ctx_exports(config: WranglerConfig | None) -> bool:
    """Whether `ctx.exports` is there; the newest behaviour where no date says otherwise."""
    return _is_on(config, "enable_ctx_exports", "disable_ctx_exports", _CTX_EXPORTS_SINCE)


def load_config(path: Path, environment: str | None = None) -> WranglerConfig:
    """Read a configuration.

    Args:
        path: The file.
        environment: Which `env.NAME` holds; the top level by default.

    Raises:
        WorkflowConfigError: If it does not parse, or something in it is not as wrangler wants it.
    """
    try:
        source = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise WorkflowConfigError(f"{path}:{line}: this cannot be read: {error}. Save it as UTF-8.") from None
    except OSError as error:
        raise WorkflowConfigError(f"{path}:1: this cannot be read: {error}.") from None
    source = _without_comments(path, source)
    reader = _Reader(path, source, environment)
    data = _parse(path, source)
    reader.check_texts(data)
    return reader.read(data)


def _without_comments(path: Path, source: str) -> str:
    """Blank comments, so that every other character stays on its line.

    A line number must not point at a commented-out binding; and what is left is plain JSON in most files, which
    the standard library reads a thousand times faster than json5.
    """

    def blank(token: re.Match[str]) -> str:
        return token[0] if token[0][0] in "\"'" else re.sub(r"[^\n]", " ", token[0])

    return (TOML_TOKEN if path.suffix == ".toml" else _JSON_TOKEN).sub(blank, source)


def _parse(path: Path, source: str) -> Any:
    if path.suffix == ".toml":
        import tomllib

        try:
            return tomllib.loads(source)
        except tomllib.TOMLDecodeError as error:
            line = re.search(r"at line (\d+)", str(error))
            where = line[1] if line else str(source.count("\n") + 1)
            raise WorkflowConfigError(f"{path}:{where}: this is no valid TOML: {error}.") from None
        except ValueError:  # Python refuses to read a number of thousands of digits
            raise WorkflowConfigError(f"{path}:{_line_of_long_number(source)}: {_TOO_LONG}") from None
        except RecursionError:
            raise WorkflowConfigError(f"{path}:{_deepest_line(source)}: {_TOO_DEEP}") from None
    deep = _deepest_line(source)
    if deep is not None:
        raise WorkflowConfigError(f"{path}:{deep}: {_TOO_DEEP}")
    if _LONG_NUMBER.search(source):
        raise WorkflowConfigError(f"{path}:{_line_of_long_number(source)}: {_TOO_LONG}")
    try:
        return json.loads(source)
    except ValueError:
        import json5

        try:
            return json5.loads(source)
        except (ValueError, RecursionError) as error:
            found = re.fullmatch(r"<string>:(\d+) (.*)", str(error), re.DOTALL)
            line_number, what = (found[1], found[2]) if found else ("1", str(error))
            raise WorkflowConfigError(f"{path}:{line_number}: this is no valid JSON with comments: {what}.") from None


def _deepest_line(source: str) -> int | None:
    """The line at which tables and lists are nested too deep; None where they are not."""
    depth = 0
    for token in _NESTING.finditer(source):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > _DEEPEST:
            return source.count("\n", 0, token.start()) + 1
    return None


def _line_of_long_number(source: str) -> int:
    found = _LONG_NUMBER.search(source)
    return 1 if found is None else source.count("\n", 0, found.start()) + 1


class _Reader:
    """A reader of one file, which knows the lines of keys and values."""

    def __init__(self, path: Path, source: str, environment: str | None) -> None:
        self._path = path
        self._lines = Lines(source, environment, is_toml=path.suffix == ".toml")
        self._environment = environment
        self._warnings: list[tuple[int, str]] = []

    def check_texts(self, value: Any) -> None:
        """Refuse half of a surrogate pair, which JSON can write and no file, path or name can hold."""
        parts = [value]
        while parts:
            part = parts.pop()
            if isinstance(part, dict):
                parts += [*part, *part.values()]
            elif isinstance(part, list):
                parts += part
            elif isinstance(part, str) and _SURROGATE.search(part):
                line = self._lines.line_matching(_WRITTEN_SURROGATE)
                raise WorkflowConfigError(
                    f"{self._path}:{line}: the text {shown(part)} holds half of a surrogate pair. Write the character "
                    "itself, or both halves."
                )

    def read(self, data: object) -> WranglerConfig:
        if not isinstance(data, dict):
            self._fail(None, f"the configuration is {kind_of(data)}, not a table of settings.")
        settings = self._with_environment(_present(data))
        declared = tuple(self._other_bindings(settings))
        others = [(one.name, one.kind) for one in declared]
        own_name = settings.get("name")
        if own_name is not None and not isinstance(own_name, str):
            self._fail("name", f"name is {kind_of(own_name)}, not a text.")
        own_names: set[str | None] = set() if own_name is None else {own_name}
        if own_name is not None and self._environment is not None:
            own_names.add(f"{own_name}-{self._environment}")
        reader = WorkflowReader(self, own_names)
        workflows = reader.bindings(settings.get("workflows", []))
        exports, other_exports = reader.exports(settings.get("exports", {}))
        workflows, exports = reader.joined(workflows, exports)
        date = settings.get("compatibility_date")
        if date is not None and not _is_date(date):
            self._fail("compatibility_date", f'compatibility_date is {shown(date)}; write it as "2026-11-10".')
        flags = settings.get("compatibility_flags", [])
        if not isinstance(flags, list) or not all(isinstance(flag, str) for flag in flags):
            self._fail("compatibility_flags", f"compatibility_flags is {shown(flags)}, not a list of texts.")
        variables = settings.get("vars", {})
        if not isinstance(variables, dict):
            self._fail("vars", f"vars is {kind_of(variables)}, not a table of variables.")
        self._check_triggers(settings.get("triggers", {}))
        consumers = self._consumers(settings.get("queues", {}))
        limits = self._limits(settings.get("limits", {}))
        secrets = self._required_secrets(settings.get("secrets"))
        others += [(name, "secrets.required") for name in secrets or ()]
        self._check_unique([workflow.binding for workflow in workflows] + [name for name, _ in others] + [*variables])
        return WranglerConfig(
            path=self._path,
            main=self._main(settings.get("main"), any(one.script_name is None for one in (*workflows, *exports))),
            workflows=workflows,
            vars=variables,
            compatibility_date=date,
            compatibility_flags=tuple(flags),
            other_bindings=dict(others),
            main_line=self.line_of("main"),
            exports=exports,
            other_exports=other_exports,
            required_secrets=secrets,
            warnings=tuple(self._warnings),
            bindings=declared,
            settings=settings,
            consumers=consumers,
            own_names=frozenset(own_names),
            limits=limits,
        )

    def _with_environment(self, data: dict[str, Any]) -> dict[str, Any]:
        environment = self._environment
        environments = data.get("env", {})
        if not isinstance(environments, dict):
            self._fail("env", f"env is {kind_of(environments)}, not a table of environments.")
        if environment is None:
            return data
        if environment not in environments:
            names = brief(", ".join(environments)) or "none"
            self._fail(
                "env", f"there is no environment {shown(environment)} (ini workflows_wrangler_env). There are: {names}."
            )
        chosen = environments[environment]
        if not isinstance(chosen, dict):
            self._fail(environment, f"env.{environment} is {kind_of(chosen)}, not a table of settings.")
        if "workflows" in data and chosen.get("workflows") is None:
            self.warn(
                (environment,),
                f"the top level has workflows and env.{environment} has none: an environment inherits no workflows. "
                f'Write them into env.{environment} as well, or "workflows": [] if it has none.',
            )
        inherited = {key: value for key, value in data.items() if key not in _NOT_INHERITED and key != "env"}
        return {**inherited, **_present(chosen)}

    def _main(self, main: object, needed: bool) -> Path | None:
        if main is None:
            if needed:
                self._fail("workflows", 'there are workflows, but no "main" that names the module of their classes.')
            return None
        if not isinstance(main, str):
            self._fail("main", f"main is {kind_of(main)}, not a path.")
        reason = why_no_path(main)
        if reason is not None:
            self._fail(
                "main", f'main is {shown(main)}, no path: {reason}. Write the module\'s path, such as "src/entry.py".'
            )
        return Path(os.path.realpath(self._path.parent / main))

    def _required_secrets(self, secrets: object) -> tuple[str, ...] | None:
        if secrets is None:
            return None
        if not isinstance(secrets, dict):
            self._fail("secrets", f"secrets is {kind_of(secrets)}, not a table.")
        for key in secrets:
            if key != "required":
                what = f'secrets has the key "{key}", which wrangler does not know: it has no effect. Known: required.'
                self.warn(("secrets", key), what)
        names = secrets.get("required", [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            self._fail(("secrets", "required"), f"secrets.required is {kind_of(names)}, not a list of names.")
        return tuple(names)

    def _other_bindings(self, settings: Mapping[str, Any]) -> Iterator[BindingConfig]:
        for kind, key in _LISTS.items():
            yield from self._named(kind, settings.get(kind), key)
        for kind, (inner, key) in _NESTED.items():
            table = settings.get(kind, {})
            if not isinstance(table, dict):
                self._fail(kind, f"{kind} is {kind_of(table)}, not a table.")
            yield from self._named(f"{kind}.{inner}", table.get(inner), key)
        for kind in _SINGLES:
            entry = settings.get(kind)
            if entry is None or (kind == "assets" and isinstance(entry, dict) and "binding" not in entry):
                continue  # static files need no binding
            yield self._binding(kind, (kind,), entry, "binding", kind)

    def _named(self, kind: str, entries: object, key: str) -> Iterator[BindingConfig]:
        if entries is None:
            return
        near = tuple(kind.split("."))
        if not isinstance(entries, list):
            self._fail(near, f"{kind} is {kind_of(entries)}, not a list of bindings.")
        for index, entry in enumerate(entries):
            yield self._binding(f"{kind}[{index}]", (*near, index), entry, key, kind)

    def _binding(self, where: str, near: Near, entry: Any, key: str, kind: str) -> BindingConfig:
        name = self._name_of(where, near, entry, key)
        what = _WHAT_IT_IS.get(kind)
        if what is not None and not (kind in _MADE and entry.get(what) is None):
            self._check_text(where, near, entry, what)
        return BindingConfig(name, kind, entry, self._path, self.line_of(*near, name))

    def _check_text(self, where: str, near: Near, entry: Mapping[str, Any], key: str) -> None:
        if not isinstance(entry.get(key), str) or not entry[key]:
            found = f"it is {shown_setting(entry[key])}" if key in entry else f"found: {brief(', '.join(entry))}"
            self._fail(near, f'{where} has no text as "{key}" ({found}).')

    def _consumers(self, queues: Mapping[str, Any]) -> dict[str, int]:
        """The queues that have a consumer here, with the line of each."""
        entries = queues.get("consumers")
        if entries is None:
            return {}
        if not isinstance(entries, list):
            self._fail(("queues", "consumers"), f"queues.consumers is {kind_of(entries)}, not a list of consumers.")
        found: dict[str, int] = {}
        for index, entry in enumerate(entries):
            where, near = f"queues.consumers[{index}]", ("queues", "consumers", index)
            queue = self._name_of(where, near, entry, "queue", "the name of the queue")
            type = entry.get("type", "worker")
            if type not in _CONSUMERS:
                known = " or ".join(f'"{one}"' for one in _CONSUMERS)
                self._fail((*near, "type"), f"{where}.type is {shown_setting(type)}. A consumer is {known}.")
            if queue in found:
                self._fail((*near, queue), f"the queue {shown(queue)} has two consumers in queues.consumers.")
            warn_of_unknown(self, near, where, entry, _CONSUMER_KEYS)
            found[queue] = self.line_of(*near, queue)
        return found

    def _limits(self, limits: object) -> dict[str, int]:
        if not isinstance(limits, dict):
            self._fail("limits", f"limits is {kind_of(limits)}, not a table.")
        found: dict[str, int] = {}
        for key, most in _MOST.items():
            if key not in limits:
                continue
            number = whole(limits[key])
            if number is None or number < 1:
                what = f"limits.{key} is {shown_setting(limits[key])}, not a whole number from 1 on."
                self._fail(("limits", key), what)
            if number > most:
                what = f"limits.{key} is {number}, and production has at most {most}: this may not work there."
                self.warn(("limits", key), what)
            found[key] = number
        return found

    def _check_triggers(self, triggers: object) -> None:
        crons = triggers.get("crons", []) if isinstance(triggers, dict) else triggers
        if not isinstance(crons, list) or not all(isinstance(cron, str) for cron in crons):
            self._fail(
                ("triggers",), f'triggers.crons is {shown_setting(crons)}. Write a list of texts, as ["0 3 * * *"].'
            )

    def _name_of(self, where: str, near: Near, entry: Any, key: str, means: str = "the name in env") -> str:
        if not isinstance(entry, dict):
            self._fail(near, f"{where} is {kind_of(entry)}, not a table.")
        name = entry.get(key)
        if not isinstance(name, str) or not name:
            found = brief(", ".join(entry)) or "nothing"
            self._fail(near, f'{where} has no text as "{key}", {means} (found: {found}).')
        return name

    def _check_unique(self, names: list[str]) -> None:
        for name in names:
            if names.count(name) > 1:
                self._fail(name, f"the binding {shown(name)} is declared more than once.")

    def line_of(self, *texts: str | int) -> int:
        """The line of the last of these keys and values (wrangler_lines.py)."""
        return self._lines.line_of(*texts)

    def _fail(self, near: str | tuple[str | int, ...] | None, what: str) -> NoReturn:
        texts = () if near is None else (near,) if isinstance(near, str) else near
        self.fail(texts, what)

    def fail(self, near: tuple[str | int, ...], what: str) -> NoReturn:
        """Refuse the configuration.

        Raises:
            WorkflowConfigError: Always, with the line of the last of these keys and values.
        """
        __tracebackhide__ = True
        raise WorkflowConfigError(f"{self._path}:{self.line_of(*near)}: {what}")

    def warn(self, near: tuple[str | int, ...], what: str) -> None:
        """Note something that wrangler warns of."""
        self._warnings.append((self.line_of(*near), what))


def _present(table: Mapping[str, Any]) -> dict[str, Any]:
    """A key whose value is null is one that is not there."""
    return {key: value for key, value in table.items() if value is not None}


def _is_date(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
