"""--workflows-html: a page of the session, from one process or from several."""

import importlib.util
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from pytest_workflows.reporting.html.paths import ShortPaths

TESTS = """
    import pytest
    from pytest_workflows import introspect_workflow_instance

    @pytest.mark.parametrize("number", range(4))
    async def test_passes(workflow_env, number):
        async with introspect_workflow_instance(workflow_env.ORDERS, f"order-{number}") as instance:
            await workflow_env.ORDERS.create({"id": f"order-{number}", "params": {"sku": "A1", "token": "hush"}})
            await instance.wait_for_status("complete")

    async def test_fails(workflow_env, workflow_engine):
        await workflow_env.ORDERS.create({"id": "first"})
        await workflow_env.ORDERS.create({"id": "second"})
        await workflow_engine.run_until_idle()
        assert False, "on purpose"

    def test_uses_no_workflow():
        pass
"""


def data_of(path: Path) -> dict[str, Any]:
    """What the page's script reads."""
    text = path.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="report-data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def recordings_of(path: Path) -> list[dict[str, Any]]:
    text = path.read_text(encoding="utf-8")
    return [
        json.loads(found) for found in re.findall(r'<script type="application/json" id="r\d+">(.*?)</script>', text)
    ]


def test_the_page_has_every_test_with_workflows_and_every_instance(worker: Any) -> None:
    result = worker.run(TESTS, "--workflows-html=out/report.html")

    result.assert_outcomes(passed=5, failed=1)
    path = worker.path / "out/report.html"
    result.stdout.fnmatch_lines([f"Workflow report: {path.as_uri()}"])
    data = data_of(path)
    assert [(test["id"].split("::")[1], test["outcome"]) for test in data["tests"]] == [
        ("test_fails", "failed"),
        ("test_passes[0]", "passed"),
        ("test_passes[1]", "passed"),
        ("test_passes[2]", "passed"),
        ("test_passes[3]", "passed"),
    ]
    assert [row["id"] for row in data["instances"]] == ["first", "second", *(f"order-{number}" for number in range(4))]
    assert "on purpose" in data["tests"][0]["failure"]["text"]
    assert list(data["sources"]) == ["src/entry.py"]


def test_it_is_one_file_that_asks_for_no_other(worker: Any) -> None:
    worker.run(TESTS, "--workflows-html=report.html")

    text = (worker.path / "report.html").read_text(encoding="utf-8")
    assert not re.findall(r"<(?:link|img|iframe|script)[^>]+(?:src|href)=", text)
    assert not re.findall(r"url\(|@import", text)
    assert "default-src 'none'" in text


def test_workers_of_xdist_hand_theirs_over(worker: Any) -> None:
    result = worker.run(TESTS, "--workflows-html=report.html", "-n", "2")

    result.assert_outcomes(passed=5, failed=1)
    data = data_of(worker.path / "report.html")
    assert [test["id"].split("::")[1] for test in data["tests"]] == [
        "test_fails",
        *(f"test_passes[{number}]" for number in range(4)),
    ]
    assert {test["worker"] for test in data["tests"]} <= {"gw0", "gw1"}
    assert "on purpose" in data["tests"][0]["failure"]["text"]
    assert len(recordings_of(worker.path / "report.html")) == 6


def test_a_step_has_its_virtual_and_its_real_times(worker: Any) -> None:
    worker.run(TESTS, "--workflows-html=report.html")

    charge, cool_down, ship = recordings_of(worker.path / "report.html")[0]["steps"]
    assert cool_down["duration_ms"] == 86_400_000
    assert charge["real_at_ms"] <= charge["attempts"][0]["real_at_ms"] <= cool_down["real_at_ms"] <= ship["real_at_ms"]
    assert charge["attempts"][0]["real_ms"] <= charge["real_ms"]


def test_what_is_redacted_in_recordings_is_redacted_here(worker: Any) -> None:
    worker.set(workflows_redact="token")

    worker.run(TESTS, "--workflows-html=report.html")

    text = (worker.path / "report.html").read_text(encoding="utf-8")
    assert "A1" in text
    assert "hush" not in text


SECRETIVE = """
    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("login", config={"sensitive": "output"})
            async def login():
                return "".join(["sens_", "abcdefgh"])

            raise RuntimeError(f"no use for {await login()}, {event['payload']['token']}")
"""


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["here", "xdist"])
def test_the_failure_of_a_test_shows_no_secrets(worker: Any, workers: tuple[str, ...]) -> None:
    worker.set(workflows_redact="token")
    worker.write("src/entry.py", SECRETIVE)
    worker.run(
        """
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                await workflow_env.ORDERS.create({"id": "a", "params": {"token": "tok_12345678"}})
                await instance.wait_for_status("complete")
        """,
        "--workflows-html=report.html",
        *workers,
    )

    text = (worker.path / "report.html").read_text(encoding="utf-8")
    assert "no use for [REDACTED], [REDACTED]" in data_of(worker.path / "report.html")["tests"][0]["failure"]["text"]
    assert "sens_abcdefgh" not in text
    assert "tok_12345678" not in text


def test_a_test_that_fails_in_its_teardown_is_a_failing_one(worker: Any) -> None:
    worker.run(
        """
        import pytest

        @pytest.fixture
        def breaks():
            yield
            raise RuntimeError("in the teardown")

        async def test_it(workflow_env, breaks):
            await workflow_env.ORDERS.create({"id": "a"})
        """,
        "--workflows-html=report.html",
    )

    (test,) = data_of(worker.path / "report.html")["tests"]
    assert test["outcome"] == "failed"
    assert "in the teardown" in test["failure"]["text"]


def test_instances_that_a_fixture_created_before_it_failed_are_there(worker: Any) -> None:
    worker.run(
        """
        import pytest, pytest_asyncio

        @pytest_asyncio.fixture
        async def breaks(workflow_env):
            await workflow_env.ORDERS.create({"id": "early"})
            raise RuntimeError("in the setup")

        async def test_it(breaks):
            pass
        """,
        "--workflows-html=report.html",
    )

    data = data_of(worker.path / "report.html")
    assert [row["id"] for row in data["instances"]] == ["early"]
    assert data["tests"][0]["outcome"] == "failed"


def test_it_needs_no_recordings_on_disk(worker: Any) -> None:
    worker.run(TESTS, "--workflows-html=report.html", "--workflows-record=none")

    assert len(recordings_of(worker.path / "report.html")) == 6
    assert not (worker.path / ".workflows").exists()


CHARGING = """
    from workers import WorkflowEntrypoint

    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("charge")
            async def charge():
                await self.env.BANK.charge()

            await charge()
"""
COUNTING = """
    import pytest

    class Bank:
        charges = 0

        async def charge(self):
            self.charges += 1

    @pytest.fixture
    def workflow_bindings():
        return {"BANK": Bank()}

    async def test_it(workflow_env, workflow_engine):
        await workflow_env.ORDERS.create({"id": "a"})
        await workflow_engine.run_until_idle()
        assert workflow_env.BANK.charges == 1
"""


def test_of_a_crash_exploration_the_plain_run_and_failing_ones_are_shown(worker: Any) -> None:
    worker.write("src/entry.py", CHARGING)
    result = worker.run(COUNTING, "--workflows-html=report.html", "--workflows-crash")

    failed = result.parseoutcomes()["failed"]
    tests = data_of(worker.path / "report.html")["tests"]
    assert failed > 0
    assert [test["outcome"] for test in tests] == ["failed"] * failed + ["passed"]
    assert all("charge" in test["id"] and test["failure"] for test in tests[:-1])
    assert tests[-1]["id"] == "tests/test_it.py::test_it"


def test_a_session_without_workflows_still_has_a_page(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")
    pytester.makepyfile("def test_it(): pass")

    result = pytester.runpytest_inprocess("--workflows-html=report.html", "-p", "no:cacheprovider")

    result.assert_outcomes(passed=1)
    assert "No test ran a workflow, and none is configured." in (pytester.path / "report.html").read_text()


def test_collecting_only_writes_nothing(worker: Any) -> None:
    worker.run(TESTS, "--workflows-html=report.html", "--collect-only")

    assert not (worker.path / "report.html").exists()


@pytest.mark.parametrize("path", ["", "tests"])
def test_what_is_no_path_of_a_file_is_a_usage_error(worker: Any, path: str) -> None:
    result = worker.run(TESTS, f"--workflows-html={path}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --workflows-html takes the path of a file to write, not '{path}'."])


def test_without_jinja2_the_error_says_what_to_install(worker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "jinja2" else real(name, *more)
    )

    result = worker.run(TESTS, "--workflows-html=report.html")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --workflows-html needs jinja2: pip install 'pytest-workflows[[]report]'."])


# -- a failing test ---------------------------------------------------------------------------------------------------


def test_a_failing_test_has_its_sentence_its_command_and_its_recordings(worker: Any) -> None:
    worker.run(TESTS, "--workflows-html=report.html")

    failure = data_of(worker.path / "report.html")["tests"][0]["failure"]
    assert failure["sentence"] == "AssertionError: on purpose"
    assert failure["command"] == "pytest 'tests/test_it.py::test_fails'"
    folder = ".workflows/failures/tests.test_it--test_fails"
    assert failure["recordings"] == [f"{folder}/ORDERS-first.json", f"{folder}/ORDERS-second.json"]
    assert all((worker.path / file).is_file() for file in failure["recordings"])


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["here", "xdist"])
def test_the_command_is_the_line_that_the_terminal_shows(worker: Any, workers: tuple[str, ...]) -> None:
    worker.write("src/entry.py", CHARGING)

    result = worker.run(
        COUNTING,
        "--workflows-html=report.html",
        "--workflows-crash",
        "--workflows-seed=3",
        *workers,
    )

    tests = data_of(worker.path / "report.html")["tests"]
    commands = [test["failure"]["command"] for test in tests if test["outcome"] == "failed"]
    shown = [
        line for line in result.outlines if line.startswith("pytest 'tests/test_it.py::test_it' --workflows-crash=")
    ]
    assert commands
    assert sorted(commands) == sorted(shown)
    assert all(command.endswith(" --workflows-seed=3") for command in commands)
    assert all(test["failure"]["recordings"] for test in tests if test["outcome"] == "failed")


def test_a_seed_that_was_given_is_in_the_command(worker: Any) -> None:
    worker.run(TESTS, "--workflows-html=report.html", "--workflows-seed=5")

    failure = data_of(worker.path / "report.html")["tests"][0]["failure"]
    assert failure["command"] == "pytest 'tests/test_it.py::test_fails' --workflows-seed=5"


def test_a_test_that_fails_before_it_creates_an_instance_is_on_the_page_and_so_is_what_else_failed(worker: Any) -> None:
    worker.write("tests/test_broken.py", "import no_such_module")
    worker.run(
        """
        async def test_without_instance(workflow_env):
            workflow_env.NOPE

        def test_without_workflow():
            assert 1 == 2
        """,
        "--workflows-html=report.html",
        "--continue-on-collection-errors",
    )

    (test,) = data_of(worker.path / "report.html")["tests"]
    assert test["id"] == "tests/test_it.py::test_without_instance"
    assert test["failure"]["sentence"].startswith("AttributeError: ")
    text = (worker.path / "report.html").read_text(encoding="utf-8")
    assert "<li><code>tests/test_it.py::test_without_workflow</code></li>" in text
    assert "<li><code>tests/test_broken.py</code></li>" in text


# -- no path of the machine -------------------------------------------------------------------------------------------


def test_no_absolute_path_of_the_machine_is_in_the_page(worker: Any, tmp_path: Path) -> None:
    worker.write(
        "src/entry.py",
        """
        import json
        from pathlib import Path
        from workers import WorkflowEntrypoint

        HERE = Path(__file__).resolve()

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do(f"read {HERE}")
                async def read():
                    print("reading", HERE, "from", Path.home(), "\\n", Path.home() / "notes.txt")
                    json.loads("{")

                await read()
        """,
    )
    worker.run(
        f"""
        import sys
        import tempfile
        import msgspec
        from pathlib import Path
        from pytest_workflows import introspect_workflow_instance

        OUTSIDE = Path({str(tmp_path)!r}) / "x.py"

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                params = {{"temp": tempfile.gettempdir(), "python": sys.executable, "lib": msgspec.__file__}}
                await workflow_env.ORDERS.create({{"id": "a", "params": {{**params, "url": "https://a.example/tmp/x"}}}})
                await instance.wait_for_status("complete")

        def test_other(workflow_env):
            raise FileNotFoundError(str(OUTSIDE))
        """,
        f"--workflows-html={worker.path}/report.html",
    )

    text = (worker.path / "report.html").read_text(encoding="utf-8")
    home = str(Path.home())
    for path in {str(worker.path), str(tmp_path), str(worker.path.parent), home, tempfile.gettempdir(), sys.prefix}:
        left = [
            text[found.start() - 40 : found.end() + 60] for found in re.finditer(rf"{re.escape(path)}(?![\w-])", text)
        ]
        assert [one for one in left if "a.example/tmp/x" not in one] == []
    (recording,) = recordings_of(worker.path / "report.html")
    assert recording["params"]["lib"] == "site-packages/msgspec/__init__.py"
    assert recording["params"]["url"] == "https://a.example/tmp/x"
    assert recording["steps"][0]["name"] == "read src/entry.py"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert f'File "{version}/json/decoder.py"' in recording["traceback"]
    assert 'File "src/entry.py"' in recording["traceback"]


@pytest.mark.parametrize(
    ("rootdir", "text", "short"),
    [
        ("/home/ada/shop", "/home/ada/shop/src/a.py:3: no", "src/a.py:3: no"),
        ("/home/ada/shop", "rootdir: /home/ada/shop", "rootdir: ."),
        ("/home/ada/shop", "in /home/ada/shop.", "in .."),
        ("/home/ada/shop/tests", "/home/ada/shop/wrangler.jsonc", "../wrangler.jsonc"),
        ("/srv/shop", "/srv/shop2/src/deep/a.py", ".../deep/a.py"),
        ("/srv/shop", "/opt/py/lib/site-packages/rich/text.py", "site-packages/rich/text.py"),
        ("/srv/shop", "/opt/py 3/lib/dist-packages/rich/text.py", "/opt/py 3/lib/dist-packages/rich/text.py"),
        ("/", "/orders/7/items", "/orders/7/items"),
        ("/home/ada/shop", "rootdir: /home/ada/shop\nplugins", "rootdir: .\nplugins"),
        ("/home/ada/shop", "E   no\n\ntests/test_it.py:3: no", "E   no\n\ntests/test_it.py:3: no"),
        ("/srv/shop", "\n\nusr/site-packages/a", "\n\nusr/site-packages/a"),
        ("/srv/shop", "GET /orders/7 of src/tmp/a", "GET /orders/7 of src/tmp/a"),
    ],
)
def test_paths_are_shortened_and_what_is_none_is_left(rootdir: str, text: str, short: str) -> None:
    assert ShortPaths(Path(rootdir)).text(text) == short
    assert json.loads(ShortPaths(Path(rootdir)).json(json.dumps(f"a\n{text}"))) == f"a\n{short}"


# -- where it cannot be written ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "path", "reason"),
    [
        ("--workflows-html=", "pytest.ini/report.html", "*pytest.ini is a file, no folder"),
        ("--workflows-html=", "x" * 300, "a part of it is 3?? bytes long, and file systems take 255"),
        ("--workflows-html=", "a\0b", "a path has no NUL character"),
        ("--workflows-html=", "a\ud800", "it holds half of a surrogate pair, which no path can hold"),
        ("--workflows-cov-report=json:", "pytest.ini/cov.json", "*pytest.ini is a file, no folder"),
        ("--workflows-cov-report=json:", "tests", "it is a folder"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused_before_any_test_runs(
    worker: Any, option: str, path: str, reason: str
) -> None:
    result = worker.run(TESTS, f"{option}{path}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {option}* cannot be written: {reason}. Name a file in a folder *"])
    result.stdout.no_fnmatch_line("*passed*")


@pytest.mark.parametrize(
    ("failing", "code"), [(False, pytest.ExitCode.USAGE_ERROR), (True, pytest.ExitCode.TESTS_FAILED)]
)
def test_what_cannot_be_written_at_the_end_is_said_without_a_traceback(
    worker: Any, failing: bool, code: pytest.ExitCode
) -> None:
    result = worker.run(
        f"""
        from pathlib import Path

        def test_it(workflow_env):
            Path("out").write_text("a file where the folder of the page was to be")
            assert not {failing}
        """,
        "--workflows-html=out/report.html",
        "--workflows-cov-report=json:out/cov.json",
    )

    assert result.ret == code
    result.stdout.fnmatch_lines(
        [
            "FAIL *cov.json could not be written: *. Name a file in a folder that you may write to.",
            "FAIL *report.html could not be written: *. Name a file in a folder that you may write to.",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*INTERNALERROR*")


def test_a_folder_of_recordings_that_cannot_be_written_is_said_in_the_test_s_report(worker: Any) -> None:
    worker.write(".workflows", "a file where the folder of recordings was to be")

    result = worker.run(TESTS, "--workflows-html=report.html")

    result.assert_outcomes(passed=5, failed=1)
    result.stdout.fnmatch_lines(
        ["They could not be written to *failures: *. Name a folder that can be written in ini *"]
    )
    assert data_of(worker.path / "report.html")["tests"][0]["failure"]["recordings"] == []


def test_texts_that_no_file_can_hold_are_escaped(worker: Any) -> None:
    result = worker.run(
        """
        async def test_it(workflow_env):
            await workflow_env.ORDERS.create({"id": "a"})
            raise RuntimeError("half a pair: \\ud800")
        """,
        "--workflows-html=report.html",
    )

    result.assert_outcomes(failed=1)
    (test,) = data_of(worker.path / "report.html")["tests"]
    assert test["failure"]["sentence"] == "RuntimeError: half a pair: \\ud800"
