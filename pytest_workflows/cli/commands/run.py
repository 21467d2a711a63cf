"""`pytest-workflows run [BINDING]`: one instance of a workflow, without writing a test."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from durable_engine import FINAL_STATUSES, InstanceHandle, InvalidArgumentError, in_words, read_now
from pytest_workflows.cli.errors import NO, CommandError, UsageError
from pytest_workflows.cli.events import PlannedEvent, read_event, read_json
from pytest_workflows.cli.options import Config
from pytest_workflows.cli.session import Bench, run_like_a_test
from pytest_workflows.cli.terminal import formatting as words
from pytest_workflows.cli.terminal.console import STYLES, labelled, show, stdout
from pytest_workflows.cli.terminal.live_view import Watcher
from pytest_workflows.messages.short_repr import shown

if TYPE_CHECKING:
    from durable_engine import JsDict, WorkflowBinding

PATIENCE = 24 * 60 * 60.0
"""Real seconds that an instance may take; whoever is tired of waiting presses Ctrl-C."""
_REFUSED = "NetworkRefusedError"
EXAMPLES = """
Examples:

    pytest-workflows run

    pytest-workflows run ORDERS --params '{"sku": "A1"}'

    pytest-workflows run ORDERS --event approved='{"by": "ada"}'@"2 days" --now 2026-01-01
"""


def register(app: typer.Typer) -> None:
    """Register the command."""
    app.command("run", epilog=EXAMPLES)(run)


def run(
    binding: Annotated[
        str | None,
        typer.Argument(metavar="[BINDING]", help="The workflow binding; not needed where there is one only."),
    ] = None,
    params: Annotated[str, typer.Option("--params", metavar="JSON", help="What the instance is created with.")] = "{}",
    event: Annotated[
        list[str] | None,
        typer.Option(
            "--event",
            metavar='TYPE=JSON@"2 days"',
            help="An event, and how long after the creation it is sent, in virtual time; may be given several times.",
        ),
    ] = None,
    id: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="The instance's id; made up where it is not given.")
    ] = None,
    now: Annotated[
        str | None,
        typer.Option("--now", metavar="TIME", help="Where the virtual clock starts, such as 2026-01-01T00:00:00Z."),
    ] = None,
    allow_network: Annotated[
        bool, typer.Option("--allow-network", help="Let workers.fetch out; otherwise a request is an error.")
    ] = False,
    config: Config = None,
) -> None:
    """Run one instance of a workflow, and watch it; sleeps and retries take no time.

    Bindings other than workflows come from the fixture workflow_bindings of the project's conftest.py, as in its tests.
    """
    planned = sorted((read_event(text) for text in event or []), key=lambda one: one.after_ms)
    options: dict[str, Any] = {"params": read_json(params, "--params"), **({} if id is None else {"id": id})}
    if now is not None:
        _check_time(now)
    marks = {"now": now, "allow_network": allow_network or None, "seed": 1}
    one = _Run(binding, options, planned, stdout())
    run_like_a_test(one.act, config=config, **{name: value for name, value in marks.items() if value is not None})
    raise typer.Exit(one.finish())


def _check_time(now: str) -> None:
    try:
        read_now(now)
    except InvalidArgumentError:
        raise UsageError(f"--now {shown(now)} is no time.", "Write it as 2026-01-01T00:00:00Z.") from None


class _Run:
    """One run of the command: its input, and its outcome."""

    def __init__(
        self, binding: str | None, options: dict[str, Any], events: list[PlannedEvent], console: Console
    ) -> None:
        self._binding = binding
        self._options = options
        self._events = events
        self._console = console
        self._status: JsDict | None = None
        self._watcher: Watcher | None = None
        self._times = (0, 0.0)
        self._unprovided: list[BaseException] = []

    def act(self, bench: Bench) -> None:
        """Run the instance to its end."""
        binding = bench.binding(self._binding)
        asyncio.run(self._to_the_end(bench, binding))

    async def _to_the_end(self, bench: Bench, binding: WorkflowBinding) -> None:
        engine = bench.engine
        created_ms, began = engine.clock.now_ms, time.perf_counter()
        with Watcher(engine, self._console) as self._watcher:
            handle = await self._create(binding)
            for event in self._events:
                self._send_later(bench, binding, handle.id, event, created_ms)

            def is_over() -> bool:
                instance = engine.find(binding.workflow, handle.id)
                return instance is not None and instance.status in FINAL_STATUSES

            about = (binding.workflow.name, handle.id)
            await engine.wait(is_over, lambda: f"the end of {handle.id!r}", about=about, timeout=PATIENCE)
        self._status = engine.lifecycle.status(binding.workflow, handle.id)
        self._unprovided = engine.unprovided.pending
        self._times = (engine.clock.now_ms - created_ms, time.perf_counter() - began)

    async def _create(self, binding: WorkflowBinding) -> InstanceHandle:
        try:
            return await binding.create(self._options)
        except Exception as error:
            why = ": ".join([str(error), *getattr(error, "__notes__", ())])
            raise UsageError(f"the instance cannot be created: {why}", "Look at --params and --id.") from error

    def _send_later(
        self, bench: Bench, binding: WorkflowBinding, id: str, event: PlannedEvent, created_ms: int
    ) -> None:
        from durable_engine import encode

        payload = encode(event.payload)
        bench.engine.schedule(
            created_ms + event.after_ms,
            lambda: bench.engine.send_event(binding.workflow, id, event.type, payload),
            what=f"event {event.type!r} of the command line",
        )

    def finish(self) -> int:
        """Print the outcome.

        Returns:
            The exit code.
        """
        if self._status is None or self._watcher is None:
            raise CommandError("the instance did not come to its end.")
        status, (virtual_ms, real) = self._status, self._times
        self._console.print()
        rows: list[tuple[str, str | Text]] = [("Status", Text(status["status"], STYLES.get(status["status"], "")))]
        if status["status"] == "complete":
            rows.append(("Output", words.value(status["output"])))
        if status["error"] is not None:
            rows.append(("Error", Text(words.exception(status["error"]["message"]), "red")))
        rows.append(("Virtual time", in_words(virtual_ms)))
        rows.append(("Real time", f"{real:.2f} s"))
        show(labelled(rows), self._console)
        for error in self._unprovided:
            self._console.print()
            show(Text(f"{type(error).__name__}: {error}", style="red"), self._console)
        if any(type(error).__name__ == _REFUSED for error in self._unprovided):
            show(Text("\nRequests stay here unless you let them out: --allow-network"), self._console)
        for finding in self._watcher.findings:
            self._console.print()
            show(Text(str(finding), style="yellow"), self._console)
        return 0 if status["status"] == "complete" and not self._unprovided else NO
