"""The generated test module as a whole."""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime

from durable_engine import FINAL_STATUSES
from durable_engine.history import DO_ENDS, FINAL_STEP_STATUSES
from pytest_workflows.recordings import Recording, Step, by_name, untag
from pytest_workflows.recordings.error_lines import cut_line, error_line
from pytest_workflows.recordings.playback.reproduction import cron_trigger, execution_start
from pytest_workflows.recordings.production import UNKNOWN_ID

from .errors import Exceptions
from .layout import INDENT, WIDTH, Group, Led, Node, asserted, assigned, awaited_then, call, lay_out
from .literals import PLUGIN, Imports, literal, text
from .mocks import DEPTH, Mocks, selector, steps_that_run

_UNKNOWN = '''
def unknown(what):
    """Stands for a value that the recording does not have: put it in the place of the call."""
    pytest.fail(f"The recording does not have this value: {what}")
'''
_AS = " as instance:"
_NOTES = 10
_FIRST = 78
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_STEP_LIMIT = 10_000
"""The default step limit."""


def generate(recording: Recording, binding: str, *, is_exported: bool = False) -> str:
    """The source of a test that goes the recorded way.

    Args:
        recording: The recording.
        binding: The name of the workflow's binding.
        is_exported: Whether that is no binding in `env`, but what a workflow is called that is only exported.
    """
    return _Module(recording, binding, is_exported).source()


class _Module:
    def __init__(self, recording: Recording, binding: str, is_exported: bool) -> None:
        self._recording = recording
        self._is_exported = is_exported
        self._trigger = cron_trigger(recording)
        self._binding = binding
        self._imports = Imports()
        self._imports.use(PLUGIN, "introspect_workflow_instance")
        self._exceptions = Exceptions(self._imports)
        self._steps = steps_that_run(recording)
        known = recording.instance_id != UNKNOWN_ID
        self._id = recording.instance_id if known else "reproduced"
        if self._trigger is not None:
            self._id = self._trigger.instance_id

    def source(self) -> str:
        body = "\n".join(f"{INDENT}{line}" if line else "" for line in self._test())
        head = [self._docstring(), *self._import_lines()]
        if self._exceptions.classes:
            head += ["", *self._exceptions.classes.values()]
        if self._imports.unknown:
            head += ["", _UNKNOWN.rstrip("\n")]
        return "\n".join([*head, "", "", *self._signature(), body, ""])

    # -- above the test ----------------------------------------------------------------------------------------------

    def _docstring(self) -> str:
        recording = self._recording
        ended = f"{recording.status}: {error_line(recording.error)}" if recording.error else recording.status
        first = cut_line(f"Instance {self._id} of {self._binding}, recorded as {ended}", _FIRST)
        lines = [first if first.endswith("…") else f"{first}."]
        if recording.test is not None:
            lines += ["", f"It comes from {recording.test}"]
        if recording.notes:
            lines += ["", "Not known:"]
            for note in recording.notes[:_NOTES]:
                lines += textwrap.wrap(note, WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)
        text = "\n".join(map(_safe, lines))
        return f'"""{text}"""\n' if len(lines) == 1 else f'"""{text}\n"""\n'

    def _import_lines(self) -> Iterator[str]:
        standard = self._imports.lines(["datetime"])
        yield from [*standard, ""] if standard else []
        yield "import pytest"
        yield from self._imports.lines([PLUGIN, "workers.workflows"])

    def _signature(self) -> Iterator[str]:
        yield "@pytest.mark.asyncio"
        marks = list(self._marks())
        if marks:
            yield lay_out(call("@pytest.mark.workflow", *marks), 0)
        yield f"{lay_out(call(f'async def {self._name()}', *self._fixtures()), 0, after=1)}:"

    def _fixtures(self) -> Iterator[str]:
        yield "workflow_engine" if self._is_exported else "workflow_env"
        if self._trigger is not None:
            yield "workflow_worker"

    def _name(self) -> str:
        slug = re.sub(r"\W+", "_", f"{self._binding}_{self._id}_{self._recording.status}".lower(), flags=re.ASCII)
        return f"test_{slug.strip('_')}"

    def _marks(self) -> Iterator[Node]:
        began = execution_start(self._recording)
        if began is not None:
            yield f'now="{_iso(began)}"'
        settings = self._recording.settings
        if settings.step_limit not in (None, _STEP_LIMIT):
            yield f"step_limit={settings.step_limit}"
        if settings.limits:
            yield Led("limits=", literal(settings.limits, self._imports))

    # -- the test ----------------------------------------------------------------------------------------------------

    def _test(self) -> list[str]:
        mocks = list(Mocks(self._recording, self._imports, self._exceptions).lines())
        mocks += self._finished_sleeps()
        params = literal(untag(self._recording.params), self._imports)
        env: Node = f"workflow_env.{self._binding}"
        if self._is_exported:
            env = f"workflow_engine.bindings[{text(self._binding)}]"
        elif not self._binding.isidentifier() or keyword.iskeyword(self._binding):
            env = call("getattr", "workflow_env", text(self._binding))
        opened = call("async with introspect_workflow_instance", "binding", text(self._id))
        lines = [
            assigned("binding", env, 1),
            *([assigned("params", params, 1)] if self._trigger is None else []),
            f"{lay_out(opened, 1, after=len(_AS))}{_AS}",
        ]
        if any(not line.startswith("#") for line in mocks):
            lines.append(f"{INDENT}async with instance.modify() as m:")
            lines += [f"{INDENT * 2}{line}" for line in mocks]
        else:
            lines += [f"{INDENT}{line}" for line in mocks]
        lines.append(f"{INDENT}{lay_out(self._created(), 2)}")
        return [*lines, "", *(f"{INDENT}{line}" for line in self._assertions())]

    def _created(self) -> Node:
        """The call that makes the instance: a cron's, where one made the recorded instance."""
        if self._trigger is not None:
            cron, time = f"cron={text(self._trigger.cron)}", f"scheduled_time={self._trigger.scheduled_time}"
            return call("await workflow_worker.scheduled", cron, time)
        return call("await binding.create", Group("{", (f'"id": {text(self._id)}', '"params": params'), "}"))

    def _assertions(self) -> Iterator[str]:
        recording = self._recording
        if recording.status == "errored":
            yield f"# Recorded: {_comment(error_line(recording.error) or 'errored, with an error that is not known')}"
            yield 'await instance.wait_for_status("complete")'
        elif recording.status == "complete":
            yield 'await instance.wait_for_status("complete")'
            output = literal(untag(recording.output), self._imports, expected=True)
            yield asserted("await instance.get_output()", output, 2)
        else:
            yield from self._stands()

    def _stands(self) -> Iterator[str]:
        """Assertions for an instance that has not ended, or was ended from outside: it must come as far as it was."""
        last = self._last_to_end()
        if last is not None:
            waited = call("await instance.wait_for_step_result", selector(last))
            if last.status == "complete":
                yield lay_out(waited, 2)
            else:
                yield f"with pytest.raises({self._imports.use(PLUGIN, 'StepFailedError')}):"
                yield f"{INDENT}{lay_out(waited, 3)}"
        if self._recording.status == "terminated":
            if self._is_parked():
                yield 'await instance.wait_for_status("waiting")'
            yield awaited_then(call("await binding.get", text(self._id)), ".terminate()", 2)
            yield 'await instance.wait_for_status("terminated")'
        elif self._recording.status == "waiting":
            yield 'await instance.wait_for_status("waiting")'
        else:
            yield f"# Recorded: {_comment(self._recording.status)}. From here on it goes on for real."
            yield 'await instance.wait_for_status("complete")'

    def _last_to_end(self) -> Step | None:
        ends = {line.step: n for n, line in enumerate(self._recording.history) if line.kind in DO_ENDS}
        ended = [step for step in self._steps if step.kind == "do" and step.status in FINAL_STEP_STATUSES]
        key = lambda step: (step.ended_at or _LONG_AGO, ends.get(step.label, -1))  # noqa: E731
        return max(reversed(ended), key=key, default=None)

    def _is_parked(self) -> bool:
        """Whether nothing but sleeps and waits was under way."""
        kinds = {step.kind for step in self._steps if step.status in ("running", "waiting")}
        return bool(kinds) and "do" not in kinds

    def _finished_sleeps(self) -> list[str]:
        """The finished sleeps of an instance that has not ended: they take no time, so that it passes them."""
        if self._recording.status in FINAL_STATUSES - {"terminated"}:
            return []
        counts = by_name(self._steps)
        over = [step for step in self._steps if _is_over(step)]
        return [lay_out(call("m.disable_sleeps", selector(step, counts[step.key])), DEPTH) for step in over]


def _is_over(step: Step) -> bool:
    return step.kind == "sleep" and step.status == "complete"


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds" if at.microsecond else "seconds").replace("+00:00", "Z")


def _comment(line: str) -> str:
    return _printable(cut_line(line, 70))


def _safe(line: str) -> str:
    return _printable(line.replace("\\", "/").replace('"""', "'''"))


def _printable(line: str) -> str:
    # Source takes no NUL, and nobody wants other control characters in it.
    return "".join(character if character.isprintable() else "?" for character in line)
