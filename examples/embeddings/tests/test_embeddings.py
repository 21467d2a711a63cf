"""A graph of steps for each file: what runs at once, what runs once, and what a bad file does to the others."""

import asyncio

import httpx
import pytest

from pytest_workflows import introspect_workflow_instance


@pytest.fixture
def upload(workflow_worker):
    async def upload():
        await workflow_worker.fetch("/docs", method="PUT")
        await workflow_worker.fetch("/docs", method="POST")

    return upload


async def test_an_upload_makes_the_files_of_its_folder_searchable(workflow_env, upload, scanner, index):
    async with introspect_workflow_instance(workflow_env.EMBEDDINGS, "docs") as instance:
        await upload()
        await instance.wait_for_status("complete")

        assert await instance.get_output() == {"files": 2, "vectors": 4}
        assert sorted(index.vectors) == ["docs/a.txt#0", "docs/a.txt#1", "docs/a.txt#2", "docs/b.txt#0"]
        assert index.vectors["docs/a.txt#2"] == [10, 0.5]


@pytest.mark.workflow(crash=False)  # it counts reads, and a lost attempt is one more
async def test_the_text_is_extracted_once_for_both_who_need_it(workflow_env, upload, scanner, reads):
    async with introspect_workflow_instance(workflow_env.EMBEDDINGS, "docs") as instance:
        await upload()
        await instance.wait_for_status("complete")

        assert sorted(reads()) == ["docs/a.txt", "docs/b.txt"]
        steps = {step.name: step for step in instance.steps}
        assert steps["validate docs/b.txt"].inputs == {"text": "b" * 30}
        assert steps["chunk docs/b.txt"].inputs == {"text": "b" * 30}
        assert steps["embed docs/b.txt"].inputs == {"chunks": ["b" * 30], "validated": None}


async def test_files_go_their_way_at_the_same_time(workflow_env, upload, scanner):
    a_runs, b_runs = asyncio.Event(), asyncio.Event()

    async def extract_a():
        a_runs.set()
        await b_runs.wait()
        return "a"

    async def extract_b():
        b_runs.set()
        await a_runs.wait()
        return "b"

    async with introspect_workflow_instance(workflow_env.EMBEDDINGS, "docs") as instance:
        async with instance.modify() as m:
            m.mock_step("extract docs/a.txt", extract_a)
            m.mock_step("extract docs/b.txt", extract_b)
        await upload()
        await instance.wait_for_status("complete")

        assert await instance.get_output() == {"files": 2, "vectors": 2}


@pytest.mark.workflow(crash=False)  # it scripts the answers one by one, and a lost attempt asks for one more
async def test_the_scanner_fails_for_one_file_and_only_that_is_asked_again(workflow_env, upload, scanner):
    scanner.side_effect = [
        httpx.Response(200, json={"clean": True}),
        httpx.Response(503),
        httpx.Response(200, json={"clean": True}),
    ]
    async with introspect_workflow_instance(workflow_env.EMBEDDINGS, "docs") as instance:
        await upload()
        await instance.wait_for_status("complete")

        attempts = [len(step.attempts) for step in instance.steps if step.kind == "do"]
        assert sorted(attempts) == [1] * (len(attempts) - 1) + [2]


async def test_a_file_that_the_scanner_refuses_is_never_embedded(workflow_env, upload, scanner, index):
    scanner.respond(json={"clean": False, "reason": "personal data"})
    async with introspect_workflow_instance(workflow_env.EMBEDDINGS, "docs") as instance:
        await upload()
        await instance.wait_for_status("errored")

        assert "was refused: personal data" in (await instance.get_error())["message"]
        assert index.vectors == {}


@pytest.mark.workflow(crash=False)  # it counts reads, and a lost attempt is one more
async def test_after_a_crash_only_what_is_missing_is_done(workflow_env, upload, scanner, reads, index):
    async with introspect_workflow_instance(workflow_env.EMBEDDINGS, "docs") as instance:
        await upload()
        await instance.wait_for_step_result("extract docs/a.txt")
        await instance.wait_for_step_result("extract docs/b.txt")

        await instance.crash()
        await instance.wait_for_status("complete")

        assert sorted(reads()) == ["docs/a.txt", "docs/b.txt"]
        assert len(index.vectors) == 4


async def test_nobody_uploads_anything(workflow_env, workflow_worker):
    async with introspect_workflow_instance(workflow_env.EMBEDDINGS, "docs") as instance:
        async with instance.modify() as m:
            m.force_event_timeout("wait for the upload")
        await workflow_worker.fetch("/docs", method="PUT")

        await instance.wait_for_status("errored")
