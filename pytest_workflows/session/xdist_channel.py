"""The channel between a session's processes: xdist's controller, which shows, and its workers, which run the tests.

Whatever is not pytest's own (reports, warnings, user properties) travels here, in one of three ways:

- `XdistChannel.at_start`: from the controller to each worker, at the worker's start. A worker may get another value
  than its neighbours, and one that takes the place of a worker that crashed is asked for anew.
- `attach` and `attached`: with a report, from the phase of a test to whoever reads the report.
- `XdistChannel.send`: from a worker to the controller, with the next report or, at the latest, with the worker's end;
  so all of it has arrived when the controller's session finishes.

Without xdist one process does both, and `send` and `at_start` hand over the value itself.

Slices of an exploration stand on it: the start message says into how many each test is divided, for all workers must
collect alike, and a worker sends the tally of the slices that it was given at its end.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import pytest

T = TypeVar("T")
Report = pytest.TestReport | pytest.CollectReport
CHANNEL = pytest.StashKey["XdistChannel"]()
_PREFIX = "pytest_workflows_"
_SENT = f"{_PREFIX}sent"
"""The attribute of a report, and the key of a worker's output, with what was sent: names of messages, and texts."""
_START = f"{_PREFIX}start"
"""The key of a worker's input with the start messages: texts by names of messages."""


class Message(Generic[T]):
    """A kind of message, and the type of what it carries.

    It travels as text, since that is what every carrier of reports can take: plain data as JSON, and what msgspec knows
    to write (dataclasses, structs, dates, bytes) as msgspec would.

    Args:
        name: Its name, one of a kind.
        read: Makes the value from what JSON gives. Nothing heavy is imported for plain data; for anything else there is
            `converted`.

    Example:
        >>> SLICE = Message("slice", lambda data: Slice(*data))  # doctest: +SKIP
    """

    def __init__(self, name: str, read: Callable[[Any], T]) -> None:
        self.name = name
        self._read = read

    def encode(self, value: T) -> str:
        """The value as text."""
        # Not msgspec's own JSON: what users name may hold lone surrogates, numbers without end, and NaN.
        return json.dumps(value, default=_plain)

    def decode(self, text: str) -> T:
        """The value from its text."""
        return self._read(json.loads(text))


def _plain(value: object) -> Any:
    import msgspec

    return msgspec.to_builtins(value, str_keys=True)


def converted(type_of: Callable[[], type[T]]) -> Callable[[Any], T]:
    """Read a message's data as a type that msgspec knows.

    Args:
        type_of: Gives the type; called when a message has arrived, so that nothing is imported before.
    """

    def read(data: Any) -> T:
        import msgspec

        return msgspec.convert(data, type_of(), str_keys=True)

    return read


# -- with a report -----------------------------------------------------------------------------------------------------


def attach(report: Report, message: Message[T], value: T) -> None:
    """Let a report carry a value, to whatever process shows it."""
    setattr(report, f"{_PREFIX}{message.name}", message.encode(value))


def attached(report: Report, message: Message[T]) -> T | None:
    """The value that a report carries; None where it carries no such message."""
    text = getattr(report, f"{_PREFIX}{message.name}", None)
    return None if text is None else message.decode(text)


def detach(report: Report, message: Message[T]) -> T | None:
    """The value that a report carries, which it carries no further."""
    text = vars(report).pop(f"{_PREFIX}{message.name}", None)
    return None if text is None else message.decode(text)


# -- without one -------------------------------------------------------------------------------------------------------


class Worker(NamedTuple):
    """A process that runs tests.

    Attributes:
        id: What xdist calls it, as `gw0`; None where the session has one process.
        total: How many of them the session has.
    """

    id: str | None = None
    total: int = 1


class XdistChannel:
    """The channel of one process. It is a plugin of pytest's, which carries what the other processes shall get.

    Args:
        config: pytest's configuration.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._makers: dict[str, Callable[[Worker], str]] = {}
        self._values: dict[str, Callable[[Worker], Any]] = {}
        self._takers: dict[str, Callable[[str], None]] = {}
        self._direct: dict[str, Callable[[Any], None]] = {}

    @property
    def is_worker(self) -> bool:
        """Whether this process is a worker of xdist's, whose controller shows what happened."""
        return hasattr(self._config, "workerinput")

    @property
    def worker_id(self) -> str | None:
        """What xdist calls this worker; None in a process that is none."""
        return str(self._input["workerid"]) if self.is_worker else None

    @property
    def _input(self) -> dict[str, Any]:
        given: dict[str, Any] = self._config.workerinput  # type: ignore[attr-defined]  # xdist's
        return given

    # -- from the controller to workers, at their start ---------------------------------------------------------------

    def at_start(self, message: Message[T], make: Callable[[Worker], T]) -> None:
        """Give each worker a value at its start.

        Args:
            message: What it is called with.
            make: Gives the value for a worker; without xdist, for the session's one process, each time it is asked for.
        """
        self._makers[message.name] = lambda worker: message.encode(make(worker))
        self._values[message.name] = make

    def started_with(self, message: Message[T]) -> T:
        """What this process got at its start."""
        if self.is_worker:
            return message.decode(self._input[_START][message.name])
        value: T = self._values[message.name](Worker())
        return value

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """A worker is about to start."""
        worker = Worker(node.workerinput["workerid"], node.workerinput["workercount"])
        node.workerinput[_START] = {name: make(worker) for name, make in self._makers.items()}

    # -- from workers to the controller -------------------------------------------------------------------------------

    def receive(self, message: Message[T], take: Callable[[T], None]) -> None:
        """Take what is sent in the processes that run tests.

        Args:
            message: What kind.
            take: Called with each value, in the process that shows what happened.
        """
        self._takers[message.name] = lambda text: take(message.decode(text))
        self._direct[message.name] = take

    def send(self, message: Message[T], value: T) -> None:
        """Send a value to the process that shows what happened."""
        if self.is_worker:
            self._waiting().append([message.name, message.encode(value)])
        else:
            self._direct[message.name](value)

    def _waiting(self) -> list[list[str]]:
        """What no report has carried yet. What is left when the worker ends goes with its output."""
        output: dict[str, Any] = self._config.workeroutput  # type: ignore[attr-defined]  # xdist's
        waiting: list[list[str]] = output.setdefault(_SENT, [])
        return waiting

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Carry what waits with a report; in the controller, take it out again."""
        if self.is_worker:
            if waiting := self._waiting():
                setattr(report, _SENT, waiting[:])
                waiting.clear()
        elif hasattr(report, _SENT):
            self._deliver(vars(report).pop(_SENT))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker has ended; one that crashed has no output."""
        self._deliver(getattr(node, "workeroutput", {}).get(_SENT, ()))

    def _deliver(self, sent: Any) -> None:
        for name, text in sent:
            self._takers[name](text)
