"""The Worker that `pytest-workflows dev` serves: versions, deploys, instances in flight, within this process."""

import asyncio
import contextlib
import gc
import json
import re
import sys
import weakref
from datetime import datetime, timedelta

import pytest

from durable_engine import StoreError
from pytest_workflows.control_plane.directory import Directory
from pytest_workflows.control_plane.numbers import Census
from pytest_workflows.dev.live_worker import LiveWorker
from pytest_workflows.dev.settings import DevSettings
from pytest_workflows.dev.versions import Versions
from pytest_workflows.errors import MissingBindingError, WorkflowConfigError
from pytest_workflows.project import importer
from pytest_workflows.workers import Request


@contextlib.asynccontextmanager
async def served(files, **changes):
    """A Worker that is served for as long as the block lasts."""
    changes.get("state", files.state).mkdir(parents=True, exist_ok=True)
    settings = DevSettings(files.folder / "wrangler.jsonc", rootdir=files.folder, **{"state": files.state, **changes})
    told = []
    importer.install()
    worker = LiveWorker(settings, Versions(settings.state), told.append, told.append)
    try:
        await worker.open()
        await worker.start()
        worker.told = told
        try:
            yield worker
        finally:
            await worker.close()
    finally:
        importer.uninstall()


async def text_of(worker, path="/", **options):
    response = await worker.fetch(Request(f"http://localhost{path}", **options))
    return await response.text()


async def created(worker):
    return json.loads(await text_of(worker, method="POST", body='{"name": "Ada"}'))["id"]


async def status_of(worker, wanted):
    """The status of the instance, once it is the wanted one."""
    handle = await worker.env.workflow_binding("GREETINGS").get("g-1")
    async with asyncio.timeout(20):
        while (found := await handle.status()).status != wanted:
            await asyncio.sleep(0.01)
    return found


async def test_a_request_reaches_the_fetch_handler(files):
    async with served(files) as worker:
        assert await text_of(worker) == "version one"


async def test_without_a_fetch_handler_the_answer_says_where_the_workflows_are(files):
    files.write(
        "from workers import WorkflowEntrypoint\n\nclass Greeting(WorkflowEntrypoint):\n    async def run(self, e, s): ...\n"
    )

    async with served(files) as worker:
        response = await worker.fetch(Request("http://localhost/"))

    assert response.status == 404
    text = await response.text()
    assert "no fetch handler" in text
    assert "/__workflows" in text


async def test_what_a_handler_gives_to_wait_until_goes_on_behind_the_answer(files):
    files.replace(
        '        return Response("version one")',
        "        gate = self.gate = __import__('asyncio').Event()\n"
        "        async def later():\n"
        "            await gate.wait()\n"
        "            await self.env.GREETINGS.create({'id': 'g-1', 'params': {'name': 'Ada'}})\n"
        "        self.ctx.wait_until(later())\n"
        "        __import__('asyncio').get_running_loop().call_later(0.05, gate.set)\n"
        '        return Response("at once")',
    )

    async with served(files) as worker:
        assert await text_of(worker) == "at once"
        assert worker.engine.instances == []
        async with asyncio.timeout(20):
            while not worker.engine.instances:
                await asyncio.sleep(0.01)


async def test_what_a_handler_raises_is_raised(files):
    files.replace('return Response("version one")', 'raise ValueError("no luck")')

    async with served(files) as worker:
        with pytest.raises(ValueError, match="no luck"):
            await worker.fetch(Request("http://localhost/"))


async def test_a_handler_that_would_end_the_process_ends_its_request_alone(files):
    files.replace('return Response("version one")', "raise SystemExit(3)")

    async with served(files) as worker:
        with pytest.raises(RuntimeError, match=r"raised SystemExit\(3\)"):
            await worker.fetch(Request("http://localhost/"))
        (told,) = worker.told
        assert told.startswith("the fetch handler failed:\nTraceback (most recent call last):\n")
        assert "src/entry.py" in told


async def test_clients_that_block_go_through_fetch_as_on_the_platform(files):
    files.replace(
        'return Response("version one")',
        "import urllib.request\n"
        "        with urllib.request.urlopen('http://127.0.0.1:9') as answer:\n"
        "            return Response(answer.read())",
    )

    async with served(files) as worker:
        with pytest.raises(OSError, match=r"connection attempts failed|refused|Connect"):
            await worker.fetch(Request("http://localhost/"))
        assert "outbound.py" in "".join(worker.told)  # `fetch` sent it


async def test_what_the_platform_s_python_refuses_is_refused_and_told_once(files):
    files.replace(
        'return Response("version one")',
        'import threading\n        threading.Thread(target=print).start()\n        return Response("version one")',
    )

    async with served(files) as worker:
        for _ in range(2):
            with pytest.raises(RuntimeError, match="can't start new thread"):
                await worker.fetch(Request("http://localhost/"))

    (told,) = [one for one in worker.told if not one.startswith("the fetch handler failed")]
    assert told == (
        'src/entry.py:21: `threading.Thread.start` raises RuntimeError("can\'t start new thread") on the platform, as here.'
    )


async def test_a_binding_that_nobody_provides_is_said_to_be_none_of_a_test_s(files):
    files.configure(browser={"binding": "BROWSER"})
    files.replace('return Response("version one")', "return await self.env.BROWSER.fetch('https://example.com')")

    async with served(files) as worker:
        with pytest.raises(MissingBindingError, match="Nothing stands in for it but what a test gives"):
            await worker.fetch(Request("http://localhost/"))


async def test_an_instance_that_fails_is_told(files):
    files.replace(
        'return f"{self.env.GREETING}', "raise LookupError('no words')\n            return f\"{self.env.GREETING}"
    )
    files.replace('@step.do("write")', '@step.do("write", config={"retries": {"limit": 0, "delay": 0}})')

    async with served(files) as worker:
        await created(worker)
        await status_of(worker, "errored")

        assert worker.told == ["GREETINGS g-1 errored: LookupError: no words"]


async def test_a_handler_that_answers_with_no_response_is_an_error(files):
    files.replace('return Response("version one")', "return 42")

    async with served(files) as worker:
        with pytest.raises(TypeError, match=r"returned int, not a Response: 42"):
            await worker.fetch(Request("http://localhost/"))


async def test_a_cron_starts_its_workflows_and_the_handler(files):
    files.configure(
        workflows=[
            {"name": "greetings", "binding": "GREETINGS", "class_name": "Greeting", "schedules": ["0 9 * * *"]},
        ]
    )
    files.replace(
        "class Default(WorkerEntrypoint):",
        "class Default(WorkerEntrypoint):\n"
        "    async def scheduled(self, controller, env, ctx):\n"
        '        if controller.cron == "bad":\n'
        '            raise ValueError("no luck")\n',
    )

    async with served(files) as worker:
        assert (await worker.scheduled("0 9 * * *", 1_800_000_000_000)).outcome == "ok"
        assert len(worker.engine.instances) == 1
        again = await worker.scheduled("0 9 * * *", 1_800_000_000_000)
        assert again.outcome == "exception"  # it comes once at a time
        assert (await worker.scheduled("bad", 1_800_000_000_000)).outcome == "exception"


async def test_the_worker_s_code_sees_time_move_that_is_moved_by_hand(files):
    files.replace(
        'return Response("version one")', "return Response(__import__('datetime').datetime.now().isoformat())"
    )

    async with served(files) as worker:
        before = datetime.fromisoformat(await text_of(worker))
        await worker.engine.advance("3 days")
        await worker.engine.advance("2 days")
        after = datetime.fromisoformat(await text_of(worker))

    assert timedelta(days=4, hours=23) <= after - before < timedelta(days=5, minutes=5)
    assert datetime.now() - before < timedelta(minutes=5)


# -- deploys -----------------------------------------------------------------------------------------------------------


async def test_a_changed_source_is_a_new_version_and_an_unchanged_one_is_none(files):
    async with served(files) as worker:
        files.replace("version one", "version two")
        version = await worker.deploy()

        assert (version.number, version.problem) == (2, None)
        assert await text_of(worker) == "version two"
        assert await worker.deploy() is None
        assert [one.number for one in worker.versions] == [1, 2]


async def test_instances_in_flight_go_on_with_the_new_version(files):
    async with served(files) as worker:
        await created(worker)
        await status_of(worker, "waiting")
        files.replace("return text", 'return f"{text}, says version two"')
        await worker.deploy()

        handle = await worker.env.workflow_binding("GREETINGS").get("g-1")
        await handle.send_event({"type": "approve", "payload": None})
        status = await status_of(worker, "complete")

    assert status.output == "hello Ada, says version two"
    assert worker.told == []


async def test_nothing_is_kept_of_versions_that_ran(files):
    async with served(files) as worker:
        await created(worker)
        await status_of(worker, "waiting")
        before = []
        for number in range(3):
            before.append(weakref.ref(sys.modules["entry"]))
            files.replace("class Default", f"X{number} = 1\n\n\nclass Default")
            assert (await worker.deploy()).problem is None
            await text_of(worker)
            await status_of(worker, "waiting")
        await asyncio.sleep(0)
        gc.collect()

        assert [one() for one in before] == [None] * 3


async def test_where_an_instance_goes_another_way_both_ways_are_shown(files):
    async with served(files) as worker:
        await created(worker)
        await status_of(worker, "waiting")
        files.replace('@step.do("write")', '@step.do("compose")')
        await worker.deploy()
        await status_of(worker, "waiting")

        (divergence,) = worker.divergences

    assert worker.told == [divergence]
    assert (divergence.version, divergence.workflow, divergence.id) == (2, "GREETINGS", "g-1")
    assert divergence.summary == (
        "step.do('write') was begun; the new source does not ask for it, and does step.do('compose') in its place"
    )
    before, now = re.split(" {3,}", divergence.table.splitlines()[1])
    assert (before, now) == ("-> step.do('write')  src/entry.py:6", "step.do('compose')  src/entry.py:6")


async def test_a_workflow_that_is_taken_away_goes_on_with_the_source_that_it_has(files):
    async with served(files) as worker:
        await created(worker)
        await status_of(worker, "waiting")
        files.configure(workflows=[])
        await worker.deploy()

        assert [one.summary for one in worker.divergences] == [
            "its workflow is not in the new source; it goes on with the source that it has"
        ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda files: files.replace("class Default", "class Default("), "src/entry.py:15: SyntaxError: "),
        (
            lambda files: files.replace("class Greeting", "class Gretting"),
            "has no class 'Greeting'. Did you mean 'Gretting'?",
        ),
        (
            lambda files: files.replace("\n\nclass Default", "\n\nraise ValueError('no luck')\n\n\nclass Default"),
            "src/entry.py:15: ValueError: no luck",
        ),
        (lambda files: (files.folder / "wrangler.jsonc").write_text("{"), "wrangler.jsonc:1: "),
        (lambda files: files.configure(main="src/other.py"), "names main "),
        (lambda files: files.replace("class Greeting", "raise SystemExit(3)\n\n\nclass Greeting"), "SystemExit(3)"),
        (
            lambda files: files.replace("class Greeting", "raise KeyboardInterrupt\n\n\nclass Greeting"),
            "KeyboardInterrupt()",
        ),
        (
            lambda files: files.replace(
                "class Greeting", "raise type('Panic', (BaseException,), {})('of Rust')\n\n\nclass Greeting"
            ),
            "the module raised Panic('of Rust') while it was imported",
        ),
        (
            lambda files: files.replace(
                "class Greeting", "raise type('Mute', (Exception,), {'__str__': None})\n\n\nclass Greeting"
            ),
            "src/entry.py:4: Mute: (its text cannot be read)",
        ),
        (lambda files: (files.folder / "wrangler.jsonc").unlink(), "wrangler.jsonc"),
    ],
)
async def test_a_broken_source_or_configuration_is_refused_and_the_last_good_one_goes_on(files, change, problem):
    async with served(files) as worker:
        await created(worker)
        await status_of(worker, "waiting")
        kept = (files.folder / "wrangler.jsonc").read_text()
        entry = (files.folder / "src/entry.py").read_text()

        change(files)
        refused = await worker.deploy()

        assert problem in refused.problem
        assert worker.versions[-1] == refused
        (files.folder / "dev.log").write_text("a change that is none of the source")
        assert await worker.deploy() is None  # that is said once
        assert worker.versions[-1] == refused
        assert worker.running_version == 1
        assert await text_of(worker) == "version one"

        (files.folder / "wrangler.jsonc").write_text(kept)
        files.write(entry)
        version = await worker.deploy()
        assert (version.number, version.problem) == (1, None)
        assert worker.versions[-1].problem is None
        await (await worker.env.workflow_binding("GREETINGS").get("g-1")).send_event(
            {"type": "approve", "payload": None}
        )
        assert (await status_of(worker, "complete")).output == "hello Ada"


async def test_a_worker_that_cannot_begin_is_told(files):
    files.configure(main="src/nothing.py")

    with pytest.raises(WorkflowConfigError, match="which does not exist"):
        async with served(files):
            pass


async def test_versions_go_on_where_the_process_before_left_off(files):
    async with served(files) as worker:
        files.replace("version one", "version two")
        await worker.deploy()
        ids = [one.id for one in worker.versions]

    async with served(files) as worker:
        assert [one.id for one in worker.versions] == ids  # the source is the same
    files.replace("version two", "version three")
    async with served(files) as worker:
        assert [one.number for one in worker.versions] == [1, 2, 3]
        assert await text_of(worker) == "version three"


async def test_where_the_number_of_a_version_cannot_be_written_instances_go_on_all_the_same(files, monkeypatch, caplog):
    async with served(files) as worker:
        await created(worker)
        await status_of(worker, "waiting")

        def full(path, kept):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("pytest_workflows.dev.versions._write", full)
        files.replace("return text", 'return f"{text}, says version two"')
        version = await worker.deploy()

        assert (version.number, version.problem) == (2, None)
        assert "The number of version 2 is not kept: " in caplog.text
        handle = await worker.env.workflow_binding("GREETINGS").get("g-1")
        await handle.send_event({"type": "approve", "payload": None})
        assert (await status_of(worker, "complete")).output == "hello Ada, says version two"


async def test_where_the_source_before_cannot_be_bound_again_instances_go_on_all_the_same(files, monkeypatch, caplog):
    async with served(files) as worker:
        await created(worker)
        await status_of(worker, "waiting")
        handle = await worker.env.workflow_binding("GREETINGS").get("g-1")
        with monkeypatch.context() as patched:

            def fail(given):
                raise OSError("the stores are full")

            patched.setattr(worker.env, "deploy", fail)
            files.replace("version one", "version two")
            refused = await worker.deploy()

        assert "the stores are full" in refused.problem
        assert "The source before cannot be bound again" in caplog.text
        await handle.send_event({"type": "approve", "payload": None})
        assert (await status_of(worker, "complete")).output == "hello Ada"


async def test_an_instance_with_the_id_of_a_deleted_one_has_a_path_of_its_own(files):
    async with served(files) as worker:
        await created(worker)
        await status_of(worker, "waiting")
        files.replace('@step.do("write")', '@step.do("compose")')
        pausing = await worker.env.workflow_binding("GREETINGS").get("g-1")
        await pausing.pause()
        await status_of(worker, "paused")
        await worker.deploy()
        await (await worker.env.workflow_binding("GREETINGS").get("g-1")).delete()

        await created(worker)
        await status_of(worker, "waiting")

        assert worker.divergences == []


async def test_a_version_that_runs_on_after_a_mistake_is_listed_once(files):
    async with served(files) as worker:
        entry = (files.folder / "src/entry.py").read_text()
        files.write("import nothing_of_the_kind\n")
        assert (await worker.deploy()).problem is not None
        files.write(entry)
        await worker.deploy()

        assert [one.number for one in Directory(worker).versions] == [1]


async def test_the_workers_name_is_that_of_the_version(files):
    async with served(files) as worker:
        directory = Directory(worker)
        assert directory.find("greetings").script_name == "greeter"
        files.configure(name="welcomer")
        await worker.deploy()

        assert directory.find("greetings").script_name == "welcomer"


# -- from one process to the next --------------------------------------------------------------------------------------


async def test_instances_and_contents_are_there_again_in_the_next_process(files):
    files.configure(kv_namespaces=[{"binding": "CACHE", "id": "cache"}])
    files.replace('return Response("version one")', "return Response(str(await self.env.CACHE.get('key')))")
    files.replace(
        '            return f"', "            await self.env.CACHE.put('key', 'kept')\n            return f\""
    )

    async with served(files) as worker:
        await created(worker)
        await status_of(worker, "waiting")
    files.replace("await self.env.CACHE.put('key', 'kept')", "raise ValueError('it ran again')")
    async with served(files) as worker:
        assert await text_of(worker) == "kept"
        await (await worker.env.workflow_binding("GREETINGS").get("g-1")).send_event({"type": "approve", "payload": 1})

        assert (await status_of(worker, "complete")).output == "hello Ada"


async def test_how_long_instances_of_an_earlier_process_took_is_known_until_time_is_moved(files):
    async with served(files) as worker:
        await created(worker)
        await status_of(worker, "waiting")

    async with served(files) as worker:
        (kept,) = await Census(worker.engine, lambda workflow, id: None).count()
        assert kept.wall == kept.virtual > 0
        await worker.engine.advance("1 hour")
        (kept,) = await Census(worker.engine, lambda workflow, id: None).count()
        assert kept.wall is None


async def test_a_source_that_changed_between_two_processes_is_compared_as_well(files):
    async with served(files) as worker:
        await created(worker)
        await status_of(worker, "waiting")
    files.replace('@step.do("write")', '@step.do("compose")')

    async with served(files) as worker:
        await status_of(worker, "waiting")
        (divergence,) = worker.divergences

    assert divergence.version == 2
    assert divergence.table.splitlines()[1].split() == [
        "->",
        "step.do('write')",
        "step.do('compose')",
        "src/entry.py:6",
    ]


async def test_time_that_was_moved_by_hand_stays_moved(files):
    async with served(files) as worker:
        began = worker.engine.clock.now_ms
        await worker.engine.advance("3 days")
    async with served(files) as worker:
        assert worker.engine.clock.now_ms >= began + 3 * 24 * 60 * 60 * 1000


async def test_a_folder_in_use_by_another_process_is_refused_in_words(files):
    async with served(files):
        with pytest.raises(StoreError, match=r"workflows\.sqlite"):
            async with served(files):
                pass


@pytest.mark.parametrize("fails", ["Keeper.open", "EnvResolver"])
async def test_a_worker_that_cannot_be_made_lets_others_have_the_folder(files, monkeypatch, fails):
    def fail(*args, **options):
        raise OSError("no luck")

    with monkeypatch.context() as patched:
        patched.setattr(f"pytest_workflows.dev.live_worker.{fails}", fail)
        with pytest.raises(OSError, match="no luck"):
            async with served(files):
                pass
    async with served(files) as worker:
        assert await text_of(worker) == "version one"


async def test_a_folder_in_use_is_not_touched(files, monkeypatch):
    async with served(files):
        opened = []
        monkeypatch.setattr("pytest_workflows.dev.live_worker.Keeper.open", opened.append)
        with pytest.raises(StoreError, match=r"workflows\.sqlite"):
            async with served(files):
                pass
        assert opened == []


async def test_secrets_and_variables_are_those_of_the_version(files):
    files.replace('return Response("version one")', "return Response(f'{self.env.GREETING} {self.env.SECRET}')")
    (files.folder / ".dev.vars").write_text("SECRET=one\n")

    async with served(files) as worker:
        assert await text_of(worker) == "hello one"
        (files.folder / ".dev.vars").write_text("SECRET=two\n")
        files.configure(vars={"GREETING": "good day"})
        await worker.deploy()
        assert await text_of(worker) == "good day two"


async def test_other_workers_of_the_repository_are_reached_and_deployed(files, tmp_path):
    (tmp_path / "greeter" / ".git").mkdir()
    other = tmp_path / "greeter" / "billing"
    (other / "src").mkdir(parents=True)
    (other / "wrangler.jsonc").write_text(
        json.dumps(
            {
                "name": "billing",
                "main": "src/bills.py",
                "compatibility_date": "2026-11-10",
                "compatibility_flags": ["python_workers"],
            }
        )
    )
    bills = other / "src" / "bills.py"
    bills.write_text(
        "from workers import WorkerEntrypoint\n\nclass Default(WorkerEntrypoint):\n    async def due(self):\n        return 10\n"
    )
    files.configure(services=[{"binding": "BILLING", "service": "billing"}])
    files.replace('return Response("version one")', "return Response(str(await self.env.BILLING.due()))")

    async with served(files) as worker:
        assert await text_of(worker) == "10"
        bills.write_text(bills.read_text().replace("10", "20"))
        version = await worker.deploy()
        assert version.number == 2
        assert await text_of(worker) == "20"
