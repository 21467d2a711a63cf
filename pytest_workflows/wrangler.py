"""Reads the wrangler configuration: what of a Worker's bindings and flags matters to a test."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from .errors import WorkflowConfigError

NAMES = ("wrangler.json", "wrangler.jsonc", "wrangler.toml")
IMPLICIT_SINCE = "2026-02-25"
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
_NOT_INHERITED = frozenset({"vars", "workflows", *_LISTS, *_SINGLES, *_NESTED}) - {"assets"}

_JSON_TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TOML_TOKEN = re.compile(r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*', re.DOTALL)


@dataclass(frozen=True, slots=True)
class WorkflowBindingConfig:
    """An entry of `workflows`.

    Attributes:
        binding: The binding's name in `env`.
        name: The workflow's own name.
        class_name: The class in `main`.
        script_name: Another Worker that the class lives in, or None.
        step_limit: `limits.steps`, or None.
        line: Where the configuration names the class.
    """

    binding: str
    name: str
    class_name: str
    script_name: str | None
    step_limit: int | None
    line: int


def binding_meant(workflows: Iterable[WorkflowBindingConfig], name: str | None, bindings: Sequence[str]) -> str | None:
    """The binding of something that names none: its workflow's only one, else the only one there is.

    Args:
        workflows: What the configuration has.
        name: The workflow's own name, if that is known.
        bindings: All that there are.

    Returns:
        None where it may be one of several, or of none.
    """
    meant = [one.binding for one in workflows if one.name == name] or bindings
    return meant[0] if len(meant) == 1 else None


@dataclass(frozen=True, slots=True)
class WranglerConfig:
    """What we read of a configuration.

    Attributes:
        path: The file.
        main: The Worker's main module, or None.
        workflows: The workflow bindings.
        vars: Plain variables in `env`.
        compatibility_date: As written, or None.
        compatibility_flags: As written.
        other_bindings: The bindings that we do not provide: name to kind.
        main_line: Where the configuration names `main`.
    """

    path: Path
    main: Path | None = None
    workflows: tuple[WorkflowBindingConfig, ...] = ()
    vars: Mapping[str, Any] = field(default_factory=dict)
    compatibility_date: str | None = None
    compatibility_flags: tuple[str, ...] = ()
    other_bindings: Mapping[str, str] = field(default_factory=dict)
    main_line: int = 1


def find_config(start: Path, rootdir: Path, configured: str | None = None) -> Path | None:
    """The configuration that holds for a file or folder.

    Args:
        start: The file or folder.
        rootdir: pytest's rootdir; the search goes up to there.
        configured: Ini `workflows_config`, relative to rootdir; it wins.

    Returns:
        The nearest configuration, or None.

    Raises:
        WorkflowConfigError: If the configured file does not exist.
    """
    if configured is not None:
        path = rootdir / configured
        if not path.is_file():
            near = [str(found.relative_to(rootdir)) for name in NAMES for found in sorted(rootdir.glob(name))]
            hint = f" There is {', '.join(near)}." if near else ""
            raise WorkflowConfigError(
                f"The ini option workflows_config names {configured!r}, and {path} does not exist.{hint} "
                "Correct the option, or remove it: the file beside the tests is found by itself."
            )
        return path
    folder = start if start.is_dir() else start.parent
    for candidate in (folder, *folder.parents):
        for name in NAMES:
            if (candidate / name).is_file():
                return candidate / name
        if candidate == rootdir or (not start.is_relative_to(rootdir) and (candidate / ".git").exists()):
            return None
    return None


def implicit_dependencies(config: WranglerConfig | None) -> bool:
    """Whether a callback's parameters name its dependencies; the newest behaviour where no date says otherwise."""
    return _is_on(config, IMPLICIT_FLAG, f"no_{IMPLICIT_FLAG}", IMPLICIT_SINCE)


def preserves_non_retryable(config: WranglerConfig | None) -> bool:
    """Whether a `NonRetryableError` is shown as it is; the newest behaviour where no date says otherwise."""
    return _is_on(config, PRESERVE_FLAG, REPLACE_FLAG, PRESERVE_SINCE)


def _is_on(config: WranglerConfig | None, flag: str, off: str, since: str) -> bool:
    """Whether a compatibility flag is on, by its name, by the name that turns it off, or by date."""
    if config is None:
        return True
    if off in config.compatibility_flags:
        return False
    if flag in config.compatibility_flags:
        return True
    return config.compatibility_date is None or config.compatibility_date >= since


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
    except (OSError, UnicodeDecodeError) as error:
        raise WorkflowConfigError(f"{path}:1: this cannot be read: {error}.") from None
    source = _without_comments(path, source)
    return _Reader(path, source, environment).read(_parse(path, source))


def _without_comments(path: Path, source: str) -> str:
    """Blank comments, so that every other character stays on its line.

    A line number must not point at a commented-out binding; and what is left is plain JSON in most files, which
    the standard library reads a thousand times faster than json5.
    """

    def blank(token: re.Match[str]) -> str:
        return token[0] if token[0][0] in "\"'" else re.sub(r"[^\n]", " ", token[0])

    return (_TOML_TOKEN if path.suffix == ".toml" else _JSON_TOKEN).sub(blank, source)


def _parse(path: Path, source: str) -> Any:
    if path.suffix == ".toml":
        import tomllib

        try:
            return tomllib.loads(source)
        except tomllib.TOMLDecodeError as error:
            line = re.search(r"at line (\d+)", str(error))
            where = line[1] if line else str(source.count("\n") + 1)
            raise WorkflowConfigError(f"{path}:{where}: this is no valid TOML: {error}.") from None
    try:
        return json.loads(source)
    except (ValueError, RecursionError):
        import json5

        try:
            return json5.loads(source)
        except (ValueError, RecursionError) as error:
            found = re.fullmatch(r"<string>:(\d+) (.*)", str(error), re.DOTALL)
            line_number, what = (found[1], found[2]) if found else ("1", str(error))
            raise WorkflowConfigError(f"{path}:{line_number}: this is no valid JSON with comments: {what}.") from None


class _Reader:
    """Reads one file, and knows where in it things stand."""

    def __init__(self, path: Path, source: str, environment: str | None) -> None:
        self._path = path
        self._source = source
        self._environment = environment
        self._bare_keys = path.suffix == ".toml"

    def read(self, data: object) -> WranglerConfig:
        if not isinstance(data, dict):
            self._fail(None, f"the configuration is {_kind(data)}, not a table of settings.")
        settings = self._with_environment(_present(data))
        others = list(self._other_bindings(settings))
        own_name = settings.get("name")
        own_names = {own_name, f"{own_name}-{self._environment}"}
        workflows = self._workflows(settings.get("workflows", []), own_names)
        date = settings.get("compatibility_date")
        if date is not None and not _is_date(date):
            self._fail("compatibility_date", f'compatibility_date is {date!r}; write it as "2026-11-10".')
        flags = settings.get("compatibility_flags", [])
        if not isinstance(flags, list) or not all(isinstance(flag, str) for flag in flags):
            self._fail("compatibility_flags", f"compatibility_flags is {flags!r}, not a list of texts.")
        variables = settings.get("vars", {})
        if not isinstance(variables, dict):
            self._fail("vars", f"vars is {_kind(variables)}, not a table of variables.")
        self._check_unique([workflow.binding for workflow in workflows] + [name for name, _ in others] + [*variables])
        return WranglerConfig(
            path=self._path,
            main=self._main(settings.get("main"), any(workflow.script_name is None for workflow in workflows)),
            workflows=workflows,
            vars=variables,
            compatibility_date=date,
            compatibility_flags=tuple(flags),
            other_bindings=dict(others),
            main_line=self.line_of("main"),
        )

    def _with_environment(self, data: dict[str, Any]) -> dict[str, Any]:
        environment = self._environment
        environments = data.get("env", {})
        if not isinstance(environments, dict):
            self._fail("env", f"env is {_kind(environments)}, not a table of environments.")
        if environment is None:
            return data
        if environment not in environments:
            names = ", ".join(environments) or "none"
            self._fail(
                "env", f"there is no environment {environment!r} (ini workflows_wrangler_env). There are: {names}."
            )
        chosen = environments[environment]
        if not isinstance(chosen, dict):
            self._fail(environment, f"env.{environment} is {_kind(chosen)}, not a table of settings.")
        inherited = {key: value for key, value in data.items() if key not in _NOT_INHERITED and key != "env"}
        return {**inherited, **_present(chosen)}

    def _main(self, main: object, needed: bool) -> Path | None:
        if main is None:
            if needed:
                self._fail("workflows", 'there are workflows, but no "main" that names the module of their classes.')
            return None
        if not isinstance(main, str):
            self._fail("main", f"main is {_kind(main)}, not a path.")
        return (self._path.parent / main).resolve()

    def _workflows(self, entries: object, own_names: set[str | None]) -> tuple[WorkflowBindingConfig, ...]:
        if not isinstance(entries, list):
            self._fail("workflows", f"workflows is {_kind(entries)}, not a list of workflows.")
        return tuple(self._workflow(index, entry, own_names) for index, entry in enumerate(entries))

    def _workflow(self, index: int, entry: object, own_names: set[str | None]) -> WorkflowBindingConfig:
        where = f"workflows[{index}]"
        if not isinstance(entry, dict):
            self._fail("workflows", f"{where} is {_kind(entry)}, not a table.")
        entry = _present(entry)
        near = next((entry[key] for key in ("binding", "name", "class_name") if isinstance(entry.get(key), str)), "")
        for key in ("binding", "name", "class_name"):
            if key not in entry:
                found = ", ".join(entry) or "nothing"
                self._fail(("workflows", near), f'{where} has no "{key}" (found: {found}).')
            if not isinstance(entry[key], str) or not entry[key]:
                self._fail(("workflows", near), f"{where}.{key} is {entry[key]!r}, not a text.")
        script = entry.get("script_name")
        if script is not None and not isinstance(script, str):
            self._fail(("workflows", near, "script_name"), f"{where}.script_name is {script!r}, not a text.")
        limits = entry.get("limits", {})
        steps = limits.get("steps") if isinstance(limits, dict) else limits
        if not isinstance(limits, dict) or (
            steps is not None and (not isinstance(steps, int) or isinstance(steps, bool) or steps < 1)
        ):
            self._fail(
                ("workflows", near, "limits"), f"{where}.limits.steps is {steps!r}, not a number of steps from 1 on."
            )
        return WorkflowBindingConfig(
            entry["binding"],
            entry["name"],
            entry["class_name"],
            None if script in own_names else script,
            steps,
            self.line_of("workflows", near, entry["class_name"]),
        )

    def _other_bindings(self, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for kind, key in _LISTS.items():
            yield from self._named(kind, settings.get(kind), key)
        for kind, (inner, key) in _NESTED.items():
            table = settings.get(kind, {})
            if not isinstance(table, dict):
                self._fail(kind, f"{kind} is {_kind(table)}, not a table.")
            yield from self._named(f"{kind}.{inner}", table.get(inner), key)
        for kind in _SINGLES:
            entry = settings.get(kind)
            if entry is None or (kind == "assets" and isinstance(entry, dict) and "binding" not in entry):
                continue  # static files need no binding
            yield self._name_of(kind, kind, entry, "binding"), kind

    def _named(self, kind: str, entries: object, key: str) -> Iterator[tuple[str, str]]:
        if entries is None:
            return
        if not isinstance(entries, list):
            self._fail(kind.split(".")[0], f"{kind} is {_kind(entries)}, not a list of bindings.")
        for index, entry in enumerate(entries):
            yield self._name_of(f"{kind}[{index}]", kind.split(".")[0], entry, key), kind

    def _name_of(self, where: str, near: str, entry: object, key: str) -> str:
        if not isinstance(entry, dict):
            self._fail(near, f"{where} is {_kind(entry)}, not a table.")
        name = entry.get(key)
        if not isinstance(name, str) or not name:
            found = ", ".join(entry) or "nothing"
            self._fail(near, f'{where} has no text as "{key}", the name in env (found: {found}).')
        return name

    def _check_unique(self, names: list[str]) -> None:
        for name in names:
            if names.count(name) > 1:
                self._fail(name, f"the binding {name!r} is declared more than once.")

    def line_of(self, *texts: str) -> int:
        """The line of the last of these keys and values, each searched for behind the one before; 1 without any.

        What the chosen environment has itself comes before what it inherits.
        """
        if self._environment is not None:
            line = self._line(("env", self._environment, *texts))
            if line is not None:
                return line
        found = (self._line(texts[:end]) for end in range(len(texts), 0, -1))
        return next((line for line in found if line is not None), 1)

    def _line(self, texts: tuple[str, ...]) -> int | None:
        start = end = 0
        for text in texts:
            form = rf"""["']{re.escape(text)}["']"""
            if self._bare_keys:
                form += rf"|(?<![\w-]){re.escape(text)}(?![\w-])"
            found = re.compile(form).search(self._source, end)
            if found is None:
                return None
            start, end = found.span()
        return self._source.count("\n", 0, start) + 1

    def _fail(self, near: str | tuple[str, ...] | None, what: str) -> NoReturn:
        texts = () if near is None else (near,) if isinstance(near, str) else near
        raise WorkflowConfigError(f"{self._path}:{self.line_of(*texts)}: {what}")


def _present(table: Mapping[str, Any]) -> dict[str, Any]:
    """A key whose value is null is one that is not there."""
    return {key: value for key, value in table.items() if value is not None}


def _is_date(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _kind(value: object) -> str:
    names = {dict: "a table", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return f"{names.get(type(value), type(value).__name__)} ({value!r})"
