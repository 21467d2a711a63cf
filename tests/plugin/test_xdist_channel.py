"""The channel between xdist's controller and its workers, which is a direct hand-over without xdist."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from pytest_workflows.session.xdist_channel import Message, attach, attached, converted, detach

SLICES = """
    from dataclasses import dataclass
    from typing import NamedTuple

    import pytest

    from pytest_workflows.session.xdist_channel import CHANNEL, Message, attach, attached, converted


    class Slice(NamedTuple):
        number: int
        total: int


    @dataclass
    class SliceTally:
        slice: int
        runs: list[str]
        findings: set[tuple[str, str, int]]


    SLICE = Message("slice", lambda data: Slice(*data))
    TALLY = Message("slice_tally", converted(lambda: SliceTally))
    PHASE = Message("phase", str)


    class Slices:
        def __init__(self, config):
            self.channel = config.stash[CHANNEL]
            self.channel.at_start(SLICE, self.next_slice)
            self.channel.receive(TALLY, lambda tally: self.tallies.append(tally))
            self.given, self.tallies, self.phases, self.runs = 0, [], [], []

        def next_slice(self, worker):
            number, self.given = self.given, self.given + 1
            return Slice(number, worker.total)

        def pytest_collection_modifyitems(self, items):
            # A slice is fixed at collection: each worker has all tests, and takes of each test's runs its own.
            if items:
                self.slice = self.channel.started_with(SLICE)

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_makereport(self, item):
            report = yield
            if report.when == "call":
                self.runs += [f"{item.name}-{run}" for run in range(4) if run % self.slice.total == self.slice.number]
                attach(report, PHASE, f"called {item.name}")
            return report

        def pytest_runtest_logreport(self, report):
            self.phases.append(attached(report, PHASE))

        def pytest_sessionfinish(self):
            if hasattr(self, "slice"):
                self.channel.send(TALLY, SliceTally(self.slice.number, self.runs, {("rule", "file.py", 1)}))

        def pytest_terminal_summary(self, terminalreporter):
            for tally in sorted(self.tallies, key=lambda tally: tally.slice):
                terminalreporter.line(f"{type(tally).__name__} {tally.slice} {tally.findings} of {self.given}")
            terminalreporter.line(f"runs {sorted(run for tally in self.tallies for run in tally.runs)}")
            terminalreporter.line(f"phases {sorted(phase for phase in self.phases if phase)}")


    @pytest.hookimpl(trylast=True)
    def pytest_configure(config):
        config.pluginmanager.register(Slices(config))
"""
TESTS = """
    def test_one():
        pass


    def test_two():
        pass
"""
ALL_RUNS = [f"{test}-{run}" for test in ("test_one", "test_two") for run in range(4)]


@pytest.mark.parametrize(("arguments", "total"), [((), 1), (("-n", "2", "--dist", "each"), 2)], ids=["alone", "xdist"])
def test_each_worker_takes_its_slice_and_sends_its_tally(worker: Any, arguments: tuple[str, ...], total: int) -> None:
    worker.write("conftest.py", SLICES)

    result = worker.run(TESTS, *arguments)

    assert result.ret == 0
    tallies = [f"SliceTally {number} {{('rule', 'file.py', 1)}} of {total}" for number in range(total)]
    phases = sorted(["called test_one", "called test_two"] * total)
    result.stdout.fnmatch_lines([*tallies, f"runs [[]{str(ALL_RUNS)[1:]}", f"phases [[]{str(phases)[1:]}"])


def test_what_waits_goes_with_the_next_report_and_the_rest_with_the_end(worker: Any) -> None:
    worker.write(
        "conftest.py",
        """
        import pytest

        from pytest_workflows.session.xdist_channel import CHANNEL, Message

        WORD = Message("word", str)


        class Words:
            def __init__(self, config):
                self.channel, self.events = config.stash[CHANNEL], []
                self.channel.receive(WORD, self.events.append)

            def pytest_runtest_setup(self, item):
                self.channel.send(WORD, f"before {item.name}")

            @pytest.hookimpl(trylast=True)
            def pytest_runtest_logreport(self, report):
                if report.when == "setup":
                    self.events.append("setup of " + report.nodeid.rpartition("::")[2])

            def pytest_sessionfinish(self):
                if self.channel.is_worker:
                    self.channel.send(WORD, f"end of {self.channel.worker_id}")

            def pytest_terminal_summary(self, terminalreporter):
                terminalreporter.line(" | ".join(self.events))


        @pytest.hookimpl(trylast=True)
        def pytest_configure(config):
            config.pluginmanager.register(Words(config))
        """,
    )

    result = worker.run(TESTS, "-n", "1")

    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["before test_one | setup of test_one | before test_two | setup of test_two | end of gw0"]
    )


@dataclass
class Kept:
    name: str
    sizes: dict[int, float] = field(default_factory=dict)
    data: bytes = b""


def test_a_message_keeps_what_json_alone_would_lose() -> None:
    message: Message[list[Kept]] = Message("kept", converted(lambda: list[Kept]))
    kept = [Kept("caf\udce9", {1: float("inf"), 2: 2.5}, b"\x00\xff")]

    text = message.encode(kept)

    assert text.isascii()
    assert message.decode(text) == kept


def test_a_report_carries_plain_text_until_it_is_detached() -> None:
    message: Message[tuple[str, int]] = Message("place", tuple)
    report = pytest.TestReport("test_it.py::test_it", ("test_it.py", 1, "test_it"), {}, "passed", None, "call")

    assert attached(report, message) is None
    attach(report, message, ("test_it.py", 1))

    assert all(isinstance(value, str) for name, value in vars(report).items() if name.endswith("place"))
    assert detach(report, message) == ("test_it.py", 1)
    assert attached(report, message) is None
