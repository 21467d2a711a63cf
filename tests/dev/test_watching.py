"""What a deploy takes for a change of the source, and what the watch over it sees."""

import asyncio
import contextlib
import os
import shutil
import socket

import pytest
from test_live_worker import served, text_of
from watchfiles import Change

from durable_engine.storage.disk import DiskStore
from pytest_workflows.dev.watching import Watch, WatchedPlaces, filter_of
from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.project.worker_project import Project


@contextlib.asynccontextmanager
async def watching(files):
    """A watch over a Worker; gives what waits until it has seen a text in a file."""
    seen, changed = [], asyncio.Condition()

    async def look():
        async with changed:
            with contextlib.suppress(OSError):
                seen.append((files.folder / "src/entry.py").read_text())
            changed.notify_all()

    async def until(holds):
        async with asyncio.timeout(10), changed:
            await changed.wait_for(lambda: holds(seen))

    places = lambda: WatchedPlaces([Project(files.folder / "wrangler.jsonc")])  # noqa: E731
    watch = asyncio.create_task(Watch(places, look).run())
    try:
        await until(bool)
        yield until
    finally:
        watch.cancel()
        await asyncio.wait([watch])


async def test_a_folder_that_comes_in_place_of_another_is_watched(files):
    async with watching(files) as until:
        shutil.copytree(files.folder / "src", files.folder.parent / "copy")
        shutil.rmtree(files.folder / "src")
        (files.folder.parent / "copy").rename(files.folder / "src")
        await until(lambda seen: len(seen) > 1)

        files.write("another")
        await until(lambda seen: seen[-1] == "another")


def test_for_a_folder_that_is_not_there_the_nearest_above_is_watched(files):
    files.configure(main="deep/src/entry.py")
    places = WatchedPlaces([Project(files.folder / "wrangler.jsonc")])
    assert (places.trees, places.folders) == ([], [files.folder])

    (files.folder / "deep").mkdir()
    places = WatchedPlaces([Project(files.folder / "wrangler.jsonc")])
    assert (places.trees, places.folders) == ([], [files.folder, files.folder / "deep"])


@pytest.mark.parametrize("first", ["goes", "is not there any more"])
async def test_a_folder_that_goes_is_watched_anew_as_soon_as_there_is_one(files, monkeypatch, caplog, first):
    source, watched = files.folder / "src", []

    async def awatch(*paths, stop_event, **options):
        watched.extend(paths)
        if watched.count(source) == 1 and source in paths:
            if first != "goes":
                raise FileNotFoundError(source)
            yield {(Change.deleted, str(source))}
        await stop_event.wait()

    monkeypatch.setattr("watchfiles.awatch", awatch)
    async with watching(files), asyncio.timeout(10):
        while watched.count(source) < 2:
            await asyncio.sleep(0.01)
    assert "not watched" not in caplog.text


async def test_the_state_amid_the_source_is_no_part_of_it(files):
    files.configure(main="entry.py")
    shutil.copy(files.folder / "src/entry.py", files.folder / "entry.py")
    async with served(files, state=files.folder / "state") as worker:
        await text_of(worker, method="POST", body='{"name": "Ada"}')
        assert await worker.deploy() is None

        (files.folder / "state2").mkdir()
        (files.folder / "state2" / "more.py").touch()
        assert (await worker.deploy()).number == 2
        assert await worker.deploy() is None


async def test_the_folder_of_the_source_takes_no_state(files):
    with pytest.raises(WorkflowConfigError, match="which is the folder of main"):
        async with served(files, state=files.folder / "src"):
            pass


def test_what_is_written_into_the_state_is_a_change_only_where_that_holds_the_source(tmp_path):
    def is_seen(file, state):
        return filter_of([tmp_path / "src"], tmp_path / state)(Change.modified, str(tmp_path / file))

    assert not is_seen("src/state/workflows.sqlite", "src/state")
    assert is_seen("src/state.py", "src/state")
    assert is_seen("src/entry.py", ".workflows/state")
    assert is_seen("src/entry.py", ".")
    assert filter_of([tmp_path], None)(Change.modified, str(tmp_path / "entry.py"))


async def test_what_has_no_content_is_no_source(files, monkeypatch):
    """An editor puts a link to nothing beside a file that it changes, and a socket is nobody's source."""
    (files.folder / "src/.#entry.py").symlink_to("me@machine.77")
    (files.folder / ".dev.vars.d").mkdir()
    monkeypatch.chdir(files.folder)  # the address of a socket is short
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("src/control")
    os.mkfifo(files.folder / "src/pipe")

    async with served(files) as worker:
        (files.folder / "src/.#other.py").symlink_to("me@machine.77")
        assert await worker.deploy() is None
        files.replace("version one", "version two")
        assert (await worker.deploy()).problem is None
        assert await text_of(worker) == "version two"


async def test_what_is_written_while_the_worker_is_started_is_deployed(files, monkeypatch):
    opened = DiskStore.open

    async def slowly(path):
        files.replace("version one", "version two")  # its source is imported by now
        return await opened(path)

    monkeypatch.setattr(DiskStore, "open", slowly)
    async with served(files) as worker:
        assert await text_of(worker) == "version one"
        assert (await worker.deploy()).number == 2
        assert await text_of(worker) == "version two"


async def test_what_was_refused_is_watched_wherever_it_lies_until_it_is_corrected(files):
    async with served(files) as worker:
        entry = (files.folder / "src/entry.py").read_text()
        (files.folder / "other").mkdir()
        files.write("import nothing_of_the_kind\n", "other/entry.py")
        files.configure(main="other/entry.py")
        assert (await worker.deploy()).problem is not None
        assert WatchedPlaces(worker.watched()).trees == [files.folder / "other", files.folder / "src"]

        files.write(entry, "other/entry.py")
        assert (await worker.deploy()).problem is None
        assert WatchedPlaces(worker.watched()).trees == [files.folder / "other"]

        files.configure(main="nothing/entry.py")
        assert (await worker.deploy()).problem is not None
        files.configure(main="other/entry.py")
        await worker.deploy()
        assert WatchedPlaces(worker.watched()).trees == [files.folder / "other"]


async def test_until_a_version_is_deployed_the_code_of_the_one_before_has_its_own_modules(files, monkeypatch):
    files.write("TEXT = 'one'\n", "src/helper.py")
    files.replace("from workers", "import helper\nfrom workers")
    files.replace('return Response("version one")', "import helper\n        return Response(helper.TEXT)")
    async with served(files) as worker:
        stored, seen = worker.engine.store.stored, []

        async def slowly():
            seen.append(await text_of(worker))  # as instances do, which go on meanwhile
            await stored()

        monkeypatch.setattr(worker.engine.store, "stored", slowly)
        files.write("TEXT = 'two'\n", "src/helper.py")
        assert (await worker.deploy()).number == 2

        assert seen == ["one"]
        assert await text_of(worker) == "two"
