"""What the platform's Python refuses to a Worker's code, and to nobody else."""

import importlib.util
import signal
import sys
import zoneinfo
from pathlib import Path

import pytest

from pytest_workflows.interpreter.guards import Guards
from pytest_workflows.interpreter.replacements import Replacements
from pytest_workflows.interpreter.table import all_tables, table_of
from pytest_workflows.interpreter.whose import View

ROOT = Path(__file__).parents[2]
ENTRY = """
import asyncio
import concurrent.futures
import contextlib
import functools
import hashlib
import importlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import zoneinfo

from workers import WorkflowEntrypoint


def named(name, *parts):
    with contextlib.suppress(RecursionError):
        return __import__(name, fromlist=parts)


def tried(code):
    try:
        return ["ok", repr(eval(code))]
    except BaseException as error:
        return [type(error).__name__, str(error)]


async def tried_in_thread(function):
    try:
        [found] = await asyncio.gather(asyncio.to_thread(function, ["true"]), return_exceptions=True)
        raise found
    except OSError as error:
        return ["ok", str(error)]


class W(WorkflowEntrypoint):
    async def run(self, event, step):
        found = {code: tried(code) for code in event["payload"]}
        loop = asyncio.get_running_loop()
        pool = concurrent.futures.ThreadPoolExecutor(1)
        found["to_thread"] = ["ok", await asyncio.to_thread(len, "ab")]
        found["run in a thread"] = await tried_in_thread(subprocess.run)
        found["Popen in a thread"] = await tried_in_thread(functools.partial(subprocess.Popen, close_fds=True))
        found["executor"] = ["ok", await loop.run_in_executor(None, functools.partial(len, "ab"))]
        found["pool"] = ["ok", await loop.run_in_executor(pool, len, "ab")]
        return found
"""
PROCESS = ["OSError", "[Errno 138] emscripten does not support processes."]
THREAD = ["RuntimeError", "can't start new thread"]
BERLIN = (
    "No time zone found with key Europe/Berlin. \n On Pyodide you must do pyodide.loadPackage('tzdata') package before "
    "you use zoneinfo."
)


def absent(module: str, name: str) -> list[str]:
    return ["AttributeError", f"module {module!r} has no attribute {name!r}"]


def missing(name: str) -> list[str]:
    return ["ModuleNotFoundError", f"No module named {name!r}"]


REFUSED = {
    "threading.Thread(target=print).start()": THREAD,
    "threading.Timer(1, print).start()": THREAD,
    "named('_thread').start_new_thread(print, ())": THREAD,
    "concurrent.futures.ThreadPoolExecutor(1).submit(print)": THREAD,
    "subprocess.run(['true'])": PROCESS,
    "subprocess.check_output('true', shell=True)": PROCESS,
    "subprocess.Popen(['true'])": PROCESS,
    "os.popen('true')": PROCESS,
    "os.fork() or os._exit(0)": ["OSError", "[Errno 52] Function not implemented"],
    "os.execv('/not/there', ['there'])": ["OSError", "[Errno 45] Exec format error"],
    "os.posix_spawn('/bin/true', ['true'], {})": absent("os", "posix_spawn"),
    "os.sched_getaffinity(0)": absent("os", "sched_getaffinity"),
    "os.mkfifo('fifo')": absent("os", "mkfifo"),
    "signal.alarm(1)": absent("signal", "alarm"),
    "signal.setitimer(signal.ITIMER_REAL, 1)": absent("signal", "setitimer"),
    "hashlib.scrypt(b'a', salt=b'b', n=2, r=1, p=1)": absent("hashlib", "scrypt"),
    "hashlib.pbkdf2_hmac('sha256', b'a', b'b', 1)": absent("hashlib", "pbkdf2_hmac"),
    "time.tzset()": absent("time", "tzset"),
    "hashlib.new('ripemd160', b'a')": ["ValueError", "unsupported hash type ripemd160"],
    "importlib.import_module('dbm')": missing("dbm"),
    "asyncio.get_running_loop().add_reader(0, print)": [
        "NotImplementedError",
        "add_reader() is not available in browser environments due to lack of POSIX file descriptors.",
    ],
    "asyncio.get_running_loop().create_server(print)": [
        "NotImplementedError",
        "create_server() is not available in browser environments due to restricted raw socket access.",
    ],
    "asyncio.create_subprocess_exec('true')": [
        "NotImplementedError",
        "subprocess_exec() is not available in browser environments due to absence of OS process APIs.",
    ],
    "socket.socketpair()": ["OSError", "[Errno 28] Invalid argument"],
    "zoneinfo.ZoneInfo('Europe/Berlin')": ["ZoneInfoNotFoundError", repr(BERLIN)],
    "named('curses')": missing("curses"),
    "named('dbm.dumb')": missing("dbm"),
    "named('resource')": missing("resource"),
    "__import__('curses.ascii')": missing("curses"),
    "__import__('pty').fork()": ["OSError", "out of pty devices"],
    "asyncio.start_unix_server": absent("asyncio", "start_unix_server"),
    "named('multiprocessing').Queue()": missing("_multiprocessing"),
    "named('multiprocessing').get_context('spawn').Queue()": missing("_multiprocessing"),
    "named('multiprocessing').get_context('spawn').Process(target=print).start()": missing("_multiprocessing"),
    "named('multiprocessing').Pipe()": ["OSError", "[Errno 28] Invalid argument"],
    "named('multiprocessing', 'shared_memory')": missing("_posixshmem"),
}
if not hasattr(__import__("os"), "posix_spawn"):  # pragma: no cover - not on this system
    REFUSED = {code: error for code, error in REFUSED.items() if error[0] != "AttributeError"}
ALLOWED = {
    "hasattr(os, 'mkfifo'), hasattr(signal, 'alarm'), hasattr(os, 'getcwd')": "(False, False, True)",
    "getattr(os, 'posix_spawn', 5)": "5",
    "hashlib.sha256(b'a').hexdigest()[:4]": "'ca97'",
    "importlib.import_module('colorsys').__name__": "'colorsys'",
    "hashlib.new('sha256', b'a').hexdigest()[:4]": "'ca97'",
    "shutil.disk_usage('/').total > 0": "True",
    "asyncio.new_event_loop().close()": "None",
    "threading.Lock().acquire()": "True",
    "named('colorsys').__name__": "'colorsys'",
}
WORKS = {name: ["ok", 2] for name in ("to_thread", "executor", "pool")}
WORKS |= {f"{name} in a thread": ["ok", PROCESS[1]] for name in ("run", "Popen")}
TEST = """
import asyncio, os, signal, subprocess, threading, zoneinfo
from unittest import mock
import pytest
from pytest_workflows import introspect_workflow_instance

CODES = {codes!r}
WANTED = {wanted!r}
ZONE = zoneinfo.ZoneInfo("Europe/Berlin")


@pytest.mark.workflow(ignore_rules=["missing-await"])
async def test_it(workflow_env):
    async with introspect_workflow_instance(workflow_env.W, "a") as instance:
        await workflow_env.W.create({{"id": "a", "params": CODES}})
        await instance.wait_for_status("complete")
        found = (await (await workflow_env.W.get("a")).status())["output"]
    assert found == WANTED
    thread = threading.Thread(target=print)
    thread.start()
    thread.join()
    assert subprocess.run(["true"]).returncode == 0
    assert (await asyncio.to_thread(subprocess.run, ["true"])).returncode == 0
    with mock.patch("asyncio.create_subprocess_exec") as mocked:
        assert isinstance(mocked, mock.AsyncMock)
    assert os.posix_spawn and signal.alarm(0) == 0 and zoneinfo.ZoneInfo("Europe/Berlin")
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makefile(".ini", pytest="[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makefile(".jsonc", wrangler=config("2026-11-10"))
    for name, text in {"src/entry.py": ENTRY}.items():
        file = pytester.path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return pytester


def config(date: str) -> str:
    return (
        f'{{"name": "it", "main": "src/entry.py", "compatibility_date": "{date}", '
        '"workflows": [{"binding": "W", "name": "w", "class_name": "W"}]}'
    )


def run(project: pytest.Pytester, test: str, *arguments: str) -> pytest.RunResult:
    (project.path / "test_it.py").write_text(test)
    return project.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


@pytest.mark.skipif(sys.platform != "linux", reason="what CPython has differs by system")
def test_what_pyodide_refuses_is_refused_to_the_workers_code_alone(project: pytest.Pytester) -> None:
    wanted = {**REFUSED, **{code: ["ok", shown] for code, shown in ALLOWED.items()}}
    wanted.update(WORKS)

    before = sorted(vars(signal))

    result = run(project, TEST.format(codes=[*REFUSED, *ALLOWED], wanted=wanted))

    result.assert_outcomes(passed=1)
    assert sorted(vars(signal)) == before


def test_a_worker_that_is_deployed_with_tzdata_has_time_zones(project: pytest.Pytester) -> None:
    (project.path / "pyproject.toml").write_text('[project]\nname = "it"\nversion = "0"\ndependencies = ["tzdata"]\n')

    wanted = {**WORKS}
    code = "zoneinfo.ZoneInfo('Europe/Berlin')"
    wanted[code] = ["ok", "zoneinfo.ZoneInfo(key='Europe/Berlin')"]

    run(project, TEST.format(codes=[code], wanted=wanted)).assert_outcomes(passed=1)


def test_time_zones_are_refused_also_if_the_worker_imports_their_module_first(monkeypatch: pytest.MonkeyPatch) -> None:
    here = sys._getframe().f_code
    view = View(lambda code: code is here, lambda use: None, lambda name, code: False)
    zoneinfo.ZoneInfo.clear_cache()
    refusals = Guards()
    with monkeypatch.context() as patch:
        patch.delitem(sys.modules, "zoneinfo")
        refusals.enter(view)
    refusals.refresh()

    try:
        with pytest.raises(zoneinfo.ZoneInfoNotFoundError):
            zoneinfo.ZoneInfo("Europe/Berlin")
    finally:
        refusals.leave(view)
        refusals.put_back()
    assert zoneinfo.ZoneInfo("Europe/Berlin")


def test_names_come_back_also_to_a_module_that_is_not_in_the_table_of_modules_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = dict(vars(signal))
    view = View(lambda code: False, lambda use: None)
    refusals = Guards()
    refusals.enter(view)
    assert "setitimer" not in vars(signal)

    with monkeypatch.context() as patch:
        patch.delitem(sys.modules, "signal")
        refusals.leave(view)
        refusals.put_back()

    assert dict(vars(signal)) == before


def test_what_is_hidden_is_there_for_other_threads_at_every_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def looking(function):
        def wrapper(*arguments):
            seen.append(callable(signal.setitimer))
            try:
                return function(*arguments)
            finally:
                seen.append(callable(signal.setitimer))

        return wrapper

    view = View(lambda code: False, lambda use: None)
    refusals = Guards()
    with monkeypatch.context() as patch:
        patch.setattr(Replacements, "put", looking(Replacements.put))
        patch.setattr(Replacements, "put_back", looking(Replacements.put_back))
        refusals.enter(view)
        assert "setitimer" not in vars(signal)
        refusals.leave(view)
        refusals.put_back()

    assert len(seen) > 100
    assert all(seen)


FINDINGS = """
import threading
{top}

from workers import WorkflowEntrypoint


class W(WorkflowEntrypoint):
    async def run(self, event, step):
        {body}
"""
ENDS = """
from pytest_workflows import introspect_workflow_instance


async def test_it(workflow_env):
    async with introspect_workflow_instance(workflow_env.W, "a") as instance:
        await workflow_env.W.create({"id": "a"})
        await instance.wait_for_status("STATUS")
"""


def findings(project: pytest.Pytester, *, top: str = "", body: str = "pass", status: str = "complete") -> list[str]:
    (project.path / "src" / "entry.py").write_text(FINDINGS.format(top=top, body=body))
    result = run(project, ENDS.replace("STATUS", status), "-W", "always")
    lines = [line for line in result.outlines if "[not-on-platform]" in line]
    return [line.partition("[not-on-platform] ")[2].partition(" raises")[0] for line in lines]


def test_a_use_is_a_finding_with_its_line(project: pytest.Pytester) -> None:
    found = findings(project, body="threading.Thread(target=print).start()", status="errored")

    assert [one.partition("src/")[2] for one in found] == ["entry.py:10: `threading.Thread.start`"]


OWN_CALL = """
from workers import WorkerEntrypoint, WorkflowEntrypoint, env


class Other(WorkerEntrypoint):
    async def hello(self):
        return "hello"


class Default(WorkerEntrypoint):
    async def test(self):
        return await env.OTHER.hello()


class W(WorkflowEntrypoint):
    async def run(self, event, step):
        pass
"""
CALLED = """
from workers import env


async def test_it(workflow_env):
    from entry import Default

    assert await Default(None, env).test() == "hello"
"""


def test_a_thread_of_this_tools_own_is_started_whoever_calls_it(project: pytest.Pytester) -> None:
    services = '"services": [{"binding": "OTHER", "service": "it", "entrypoint": "Other"}], '
    text = config("2026-11-10").replace('"workflows"', f'{services}"workflows"')
    (project.path / "wrangler.jsonc").write_text(text)
    (project.path / "src" / "entry.py").write_text(OWN_CALL)

    # In a process of its own: here, another test has started the thread already.
    (project.path / "test_it.py").write_text(CALLED)
    result = project.runpytest_subprocess("-p", "no:cacheprovider")

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("top", "body"),
    [
        ("try:\n    import curses\nexcept ImportError:\n    curses = None", "assert curses is None"),
        ("from contextlib import suppress\nwith suppress(ImportError):\n    import resource", "pass"),
        ("import uuid", "assert uuid.getnode()"),  # it tries to run programs
        ("import os", "assert not hasattr(os, 'mkfifo')"),
        ("import os", "assert getattr(os, 'mkfifo', None) is None"),
        ("from socket import *\nfrom os import *", "assert getcwd()"),
    ],
)
def test_there_is_no_finding_where_the_code_says_what_to_do(project: pytest.Pytester, top: str, body: str) -> None:
    assert findings(project, top=top, body=body) == []


@pytest.mark.parametrize(
    ("top", "body", "remedy"),
    [
        ("import zoneinfo", "zoneinfo.ZoneInfo('UTC')", 'write "tzdata" into the dependencies of \\[project\\] in'),
        ("import hashlib", "hashlib.pbkdf2_hmac('md5', b'', b'', 1)", "have `crypto.subtle.deriveBits` of `js` derive"),
        ("", "import pwd", "do without the module; code that runs on other machines as well imports it in a `try`"),
        ("", "threading.Thread(target=print).start()", "do without it: with await in place of a thread"),
    ],
)
def test_a_finding_says_what_to_do_about_what_it_is(project: pytest.Pytester, top: str, body: str, remedy: str) -> None:
    (project.path / "src" / "entry.py").write_text(FINDINGS.format(top=top, body=body))

    result = run(project, ENDS.replace("STATUS", "errored"), "-W", "always")

    result.stdout.re_match_lines([rf".*\[not-on-platform\] .* Instead: {remedy}"])


def test_a_module_that_is_not_there_is_named_with_its_line_where_it_is_imported(project: pytest.Pytester) -> None:
    found = findings(project, body="import pwd", status="errored")

    assert [one.partition("src/")[2] for one in found] == ["entry.py:10: `import pwd`"]


USED = """
import asyncio

from workers import WorkflowEntrypoint
{top}

async def use(what):
    if what == "import":
        import pwd
    if what == "thread":
        __import__("threading").Thread(target=print).start()


class W(WorkflowEntrypoint):
    async def run(self, event, step):
        await asyncio.sleep(0)
        await use(event["payload"])
"""
USES = """
import pytest

from pytest_workflows import introspect_workflow_instance


@pytest.mark.parametrize("what", ["thread", "import", "nothing"])
async def test_it(workflow_env, what):
    async with introspect_workflow_instance(workflow_env.W, "a") as instance:
        await workflow_env.W.create({"id": "a", "params": what})
        await instance.wait_for_status("complete" if what == "nothing" else "errored")
"""


def test_what_a_function_uses_is_a_finding_of_the_test_that_runs_it(project: pytest.Pytester) -> None:
    (project.path / "src" / "entry.py").write_text(USED.format(top=""))

    run(project, USES, "--workflows-strict").assert_outcomes(passed=1, failed=2)


def test_what_a_module_uses_while_it_is_imported_is_a_finding_of_each_test(project: pytest.Pytester) -> None:
    top = "import threading\ndef begin():\n    threading.Thread(target=print).start()\ntry:\n    begin()\nexcept "
    (project.path / "src" / "entry.py").write_text(USED.format(top=top + "RuntimeError:\n    pass"))

    run(project, USES, "--workflows-strict", "-k", "nothing").assert_outcomes(failed=1, deselected=2)
    run(project, USES, "--workflows-strict").assert_outcomes(failed=3)


def test_a_module_of_the_workers_own_may_have_the_name_of_one_that_is_not_there(project: pytest.Pytester) -> None:
    (project.path / "src" / "pwd.py").write_text("")

    assert findings(project, body="import pwd") == []


def test_a_test_that_ignores_the_rule_has_no_refusals(project: pytest.Pytester) -> None:
    (project.path / "src" / "entry.py").write_text(
        FINDINGS.format(top="import curses.ascii", body="threading.Thread(target=print).start()")
    )

    run(project, ENDS.replace("STATUS", "complete"), "-o", "workflows_ignore_rules=not-on-platform").assert_outcomes(
        passed=1
    )


def test_which_table_holds_follows_from_the_compatibility_date(project: pytest.Pytester) -> None:
    project.makefile(".jsonc", wrangler=config("2025-10-01"))

    assert findings(project, body="import fcntl", status="errored")  # of Pyodide 0.28; 314 has it
    project.makefile(".jsonc", wrangler=config("2026-11-10"))
    assert not findings(project, body="import fcntl")


# -- the table ---------------------------------------------------------------------------------------------------------


def test_each_table_knows_the_release_that_was_asked() -> None:
    assert {table.python: table.pyodide for table in all_tables()} == {
        "3.12": "0.26.4",
        "3.13": "0.28.3",
        "3.14": "314.0.7",
    }


@pytest.mark.parametrize(("asked", "held"), [((3, 11), "3.12"), ((3, 13), "3.13"), ((3, 15), "3.14")])
def test_a_python_that_is_not_known_has_the_table_of_the_nearest_one(asked: tuple[int, int], held: str) -> None:
    assert table_of(asked).python == held


@pytest.mark.parametrize(
    "what",
    [
        *("asyncio.timeout", "asyncio.wait_for", "asyncio.TaskGroup", "asyncio.as_completed", "asyncio.to_thread"),
        *(f"asyncio.get_running_loop().{name}" for name in ("call_later", "call_at", "call_soon_threadsafe")),
    ],
)
def test_no_table_refuses_what_every_pyodide_does_with_asyncio(what: str) -> None:
    """One probe makes a loop, which Pyodide's then runs: it must not be that of the probes behind it."""
    assert [table.python for table in all_tables() if what in table.refused] == []


@pytest.mark.parametrize(
    ("module", "name"),
    [("http.client", "HTTPSConnection"), ("urllib.request", "HTTPSHandler"), ("smtplib", "SMTP_SSL")],
)
def test_no_table_is_without_what_ssl_brings_along(module: str, name: str) -> None:
    assert [table.python for table in all_tables() if name in table.names.get(module, ())] == []


def test_every_exception_of_the_tables_can_be_made_with_its_text() -> None:
    refusals = [refusal for table in all_tables() for refusal in table.refused.values()]

    assert len(refusals) > 150
    for refusal in refusals:
        error = refusal.error()
        # pathlib's came with Python 3.13, and is an OSError.
        assert type(error).__name__ in (refusal.kind.rpartition(".")[2], "OSError")
        assert all(str(argument) in str(error).replace("\\n", "\n") for argument in refusal.arguments)


def test_the_page_is_made_from_the_tables() -> None:
    spec = importlib.util.spec_from_file_location("page", ROOT / ".ci" / "pyodide" / "page.py")
    assert spec is not None
    assert spec.loader is not None
    page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(page)
    text = page.PAGE.read_text()

    assert page.rendered(text, page.json.loads(page.TABLE.read_text())) == text
