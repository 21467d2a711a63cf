"""What an installed plugin loads before anybody uses it, what pytest rewrites of it, and when a session begins to use it."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import durable_engine
import pytest_workflows

INI = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n"
REPORT = """
    import sys
    from _pytest.assertion.rewrite import AssertionRewritingHook

    OURS = ("pytest_workflows", "durable_engine")
    OTHERS = {"ada_url", "httpx", "jinja2", "json5", "rich", "sqlite3", "statistics", "wrapt"}

    def pytest_sessionfinish():
        ours = {name: module for name, module in sys.modules.items() if name.split(".")[0] in OURS}
        rewritten = [name for name, module in ours.items() if isinstance(module.__loader__, AssertionRewritingHook)]
        print("\\nloaded:", *sorted(ours))
        print("of others:", *sorted(OTHERS & set(sys.modules)))
        print("rewritten:", *sorted(rewritten))
"""
USED = """
    from pytest_workflows import introspect_workflow_instance
    from workers import WorkflowEntrypoint
    import pytest

    class One(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("only")
            async def only():
                return 1

            return await only()

    @pytest.fixture
    def workflow_bindings():
        return {"ONE": One}

    async def test_one(workflow_env):
        async with introspect_workflow_instance(workflow_env.ONE, "x") as instance:
            await workflow_env.ONE.create({"id": "x"})
            await instance.wait_for_status("complete")
"""
DOOR = {
    "pytest_workflows",
    "pytest_workflows.first_use",
    "pytest_workflows.hookspecs",
    "pytest_workflows.introspection",
    "pytest_workflows.introspection.monotonic",
    "pytest_workflows.plugin",
    "pytest_workflows.project",
    "pytest_workflows.project.config_search",
    "pytest_workflows.project.importer",
    "pytest_workflows.session",
    "pytest_workflows.session.command_line",
    "pytest_workflows.session.fixtures",
    "pytest_workflows.session.ini_options",
    "pytest_workflows.session.marker",
    "pytest_workflows.session.opening",
    "pytest_workflows.session.report_options",
    "pytest_workflows.session.use_signs",
    "pytest_workflows.session.value_checks",
}


@pytest.fixture
def installed(tmp_path):
    """A folder in which both packages are installed as a wheel installs them, as far as pytest looks."""
    site = tmp_path / "site"
    info = site / "pytest_workflows-0.1.0.dist-info"
    info.mkdir(parents=True)
    files = []
    for package in (durable_engine, pytest_workflows):
        folder = Path(package.__file__).parent
        (site / folder.name).symlink_to(folder, target_is_directory=True)
        files += [f"{folder.name}/{path.relative_to(folder).as_posix()},," for path in folder.rglob("*.py")]
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pytest-workflows\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[pytest11]\npytest_workflows.plugin = pytest_workflows.plugin\n")
    (info / "RECORD").write_text("\n".join(files))
    return site


@pytest.fixture
def run(pytester):
    """Runs these files in a process of its own, and gives its output; without other plugins unless they are asked for."""

    def call(files, *arguments, site=None, exit_code=0):
        pytester.makeini(INI)
        for name, source in {"conftest.py": REPORT, **files}.items():
            path = pytester.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(source))
        environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        named = ("-p", "pytest_asyncio.plugin", "-p", "pytest_workflows.plugin")
        if site is not None:
            environment["PYTHONPATH"] = str(site)
            del environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
            named = ()
        result = subprocess.run(
            [sys.executable, "-m", "pytest", "-s", "-p", "no:cacheprovider", *named, *arguments],
            cwd=pytester.path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == exit_code, result.stdout + result.stderr
        return Output(result.stdout + result.stderr)

    return call


class Output:
    """What such a session has printed."""

    def __init__(self, text):
        self.text = text

    def names(self, title):
        (line,) = [line for line in self.text.splitlines() if line.startswith(f"{title}:")]
        return set(line.removeprefix(f"{title}:").split())

    @property
    def used_engine(self):
        return "durable_engine" in self.names("loaded")


# Each of these starts a Python of its own, since what is loaded is asked.


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
def test_of_an_installed_distribution_pytest_rewrites_the_package_and_its_plugin(run, installed, mode):
    output = run({"test_used.py": USED}, f"--import-mode={mode}", site=installed)

    assert output.used_engine
    assert output.names("rewritten") == {"pytest_workflows", "pytest_workflows.plugin"}


def test_of_a_plugin_that_the_command_line_names_pytest_rewrites_no_more(run):
    output = run({"test_used.py": USED})

    assert output.used_engine
    assert output.names("rewritten") <= {"pytest_workflows", "pytest_workflows.plugin"}


def test_without_rewriting_nothing_is_rewritten(run):
    output = run({"test_used.py": USED}, "--assert=plain")

    assert output.used_engine
    assert output.names("rewritten") == set()


def test_a_session_that_uses_nothing_of_us_loads_what_pytest_must_know_and_no_more(run):
    output = run({"test_plain.py": "def test_plain(tmp_path): assert tmp_path"})

    assert output.names("loaded") == DOOR


def test_a_test_that_passes_loads_nothing_that_only_a_failure_a_report_or_a_binding_needs(run):
    output = run({"test_used.py": USED})

    rooms = ("deployment", "recordings.format", "recordings.production", "reporting", "sources.finder", "timeline.text")
    needless = tuple(f"pytest_workflows.{room}" for room in rooms)
    assert [name for name in sorted(output.names("loaded")) if name.startswith(needless)] == []
    assert output.names("of others") == set()


def test_sessions_in_one_process_leave_no_finder_behind_and_warn_of_nothing(pytester):
    pytester.makeini(INI)
    pytester.makepyfile(test_used=USED, test_plain="def test_plain(): pass")
    script = """
        import sys, pytest
        before = list(sys.meta_path)
        for arguments in (["test_plain.py"], ["test_used.py"], ["--workflows-crash=0"], ["test_used.py"]):
            print("code", int(pytest.main(["-q", "-p", "pytest_workflows.plugin", *arguments])))
            assert sys.meta_path == before, (arguments, sys.meta_path)
    """
    pytester.path.joinpath("script.py").write_text(textwrap.dedent(script))

    output = subprocess.run(
        [sys.executable, "script.py"], cwd=pytester.path, check=True, capture_output=True, text=True
    )

    codes = [line for line in output.stdout.splitlines() if line.startswith("code")]
    assert codes == ["code 0", "code 0", "code 4", "code 0"], output.stdout


# -- the first use -----------------------------------------------------------------------------------------------------

LATE = """
    import sys
    import pytest

    @pytest.fixture
    def workflow_bindings():
        return {"GREETING": "hello"}

    def test_before():
        assert "durable_engine" not in sys.modules

    def test_a_binding():
        from workers import env

        assert env.GREETING == "hello"

    def test_after():
        assert "durable_engine" in sys.modules
"""


def test_a_test_may_be_the_first_one_to_import_anything_of_the_platform(run):
    output = run({"test_late.py": LATE})

    assert "3 passed" in output.text


def test_what_such_a_test_uses_and_nobody_provides_fails_it(run):
    source = """
        import pytest

        @pytest.fixture
        def workflow_bindings():
            import js
            from workers import WorkflowEntrypoint

            class One(WorkflowEntrypoint):
                async def run(self, event, step):
                    try:
                        js.document
                    except AttributeError:
                        pass

            return {"ONE": One}

        async def test_caught():
            from workers import env

            instance = await env.ONE.create()
            assert (await instance.status())["status"] == "complete"
    """

    output = run({"test_late.py": source}, exit_code=1)

    assert "1 failed" in output.text
    assert "document" in output.text


def test_a_fixture_that_a_test_asks_for_while_it_runs_is_a_first_use(run):
    source = """
        import pytest

        @pytest.fixture
        def workflow_bindings():
            return {"GREETING": "hello"}

        def test_dynamic(request):
            assert request.getfixturevalue("workflow_env").GREETING == "hello"
    """

    assert "1 passed" in run({"test_late.py": source}).text


def test_a_configuration_below_the_first_folder_is_found_when_its_folder_is_collected(run):
    files = {
        "test_plain.py": "import sys\ndef test_plain(): pass",
        "apps/shop/wrangler.toml": 'name = "shop"\nmain = "src/entry.py"\ncompatibility_date = "2026-11-10"\n',
        "apps/shop/src/entry.py": "from workers import WorkerEntrypoint\nclass Default(WorkerEntrypoint): pass\n",
        "apps/shop/conftest.py": "import entry\n",
        "apps/shop/test_shop.py": "from entry import Default\ndef test_shop(): assert Default\n",
    }

    assert "2 passed" in run(files).text


def test_a_marker_is_refused_before_any_test_runs(run):
    source = "import pytest\n@pytest.mark.workflow(crahs=True)\ndef test_it(): print('it ran')\n"

    output = run({"test_marked.py": source}, exit_code=4)

    assert "Did you mean 'crash'?" in output.text
    assert "it ran" not in output.text


def test_a_marker_that_a_conftest_adds_is_refused_as_well(run):
    conftest = """
        import pytest

        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.workflow(crahs=True))
    """

    output = run({"conftest.py": conftest, "test_it.py": "def test_it(): pass"}, exit_code=4)

    assert "Did you mean 'crash'?" in output.text


def test_who_waits_for_the_report_of_all_tests_gets_it(run):
    conftest = "def pytest_workflows_report(runs, findings):\n    print('all:', dict(runs), dict(findings))\n"

    output = run({"conftest.py": conftest, "test_it.py": "def test_it(): pass"})

    assert "all: {} {}" in output.text


@pytest.mark.parametrize("ini", ["workflows_timeout = never", "workflows_plan = cheap", "workflows_strict = perhaps"])
def test_an_ini_option_is_read_where_nothing_else_is_used(run, pytester, ini):
    pytester.path.joinpath("other.ini").write_text(f"{INI}{ini}\n")

    output = run({"test_it.py": "def test_it(): print('it ran')"}, "-c", "other.ini", exit_code=4)

    assert ini.split()[0] in output.text
    assert "it ran" not in output.text


def test_workers_of_xdist_open_by_themselves(run):
    assert "3 passed" in run({"test_late.py": LATE}, "-p", "xdist.plugin", "-n1").text


def test_a_session_within_one_that_uses_nothing_of_us_opens_and_closes_by_itself(run):
    source = """
        import sys
        import pytest

        pytest_plugins = ["pytester"]
        INI = "[pytest]\\n"
        INNER = '''
        import pytest

        @pytest.fixture
        def workflow_bindings():
            return {"GREETING": "inner"}

        def test_inner():
            from workers import env
            assert env.GREETING == "inner"
        '''

        @pytest.fixture
        def workflow_bindings():
            return {"GREETING": "outer"}

        @pytest.mark.parametrize("number", range(2))
        def test_within(pytester, number):
            pytester.makeini(INI)
            pytester.makepyfile(INNER)
            pytester.runpytest_inprocess("-p", "pytest_workflows.plugin").assert_outcomes(passed=1)
            assert "durable_engine" not in sys.modules

        def test_late():
            from workers import env
            assert env.GREETING == "outer"

        def test_within_a_session_that_is_open(pytester):
            pytester.makeini(INI)
            pytester.makepyfile(INNER)
            pytester.runpytest_inprocess("-p", "pytest_workflows.plugin").assert_outcomes(passed=1)

        def test_later():
            from workers import env
            assert env.GREETING == "outer"
    """

    assert "5 passed" in run({"test_outer.py": source}).text


def test_workers_of_xdist_that_open_late_divide_what_is_explored(run):
    source = USED.replace("async def test_one", "@pytest.mark.workflow(crash=True)\n    async def test_one")

    output = run({"test_used.py": source}, "-p", "xdist.plugin", "-n2").text

    assert "1 passed" in output
    assert "2 workers [2 items]" in output
