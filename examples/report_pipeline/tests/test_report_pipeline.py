"""Every step of the pipeline is retried alone, and nothing is uploaded twice: not by a retry, not after a crash."""

import json

import httpx
import pytest

from pytest_workflows import introspect_workflow_instance

SALES = {"customer": "acme", "kind": "sales"}


@pytest.mark.workflow(now="2026-03-01T09:00:00Z")
async def test_a_report_with_two_files(workflow_env, api, archived):
    async with introspect_workflow_instance(workflow_env.REPORTS, "report-1") as instance:
        await workflow_env.REPORTS.create({"id": "report-1", "params": SALES})
        await instance.wait_for_status("complete")

        assert await archived() == {"r-1/a.csv": "1,2", "r-1/b.csv": "3,4"}
        files = json.loads(api["attach"].calls.last.request.content)["files"]
        assert [file["key"] for file in files] == ["r-1/a.csv", "r-1/b.csv"]
        assert {len(file["sha256"]) for file in files} == {64}
        assert {file["archived_at"] for file in files} == {"2026-03-01T09:00:00+00:00"}
        assert await instance.get_output() == {"report": "r-1", "files": files}
        assert api["finalize"].called


async def test_a_report_without_files(workflow_env, api, archived):
    api["create"].respond(json={"id": "r-1"})
    async with introspect_workflow_instance(workflow_env.REPORTS, "report-1") as instance:
        await workflow_env.REPORTS.create({"id": "report-1", "params": SALES})
        await instance.wait_for_status("complete")

        assert await instance.get_output() == {"report": "r-1", "files": []}
        assert "gather the files" not in [step.name for step in instance.steps]
        assert await archived() == {}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "a report needs a customer"),
        ({"customer": "acme", "kind": "gossip"}, "there is no report of kind 'gossip'"),
    ],
)
@pytest.mark.workflow(crash=False)  # a failure that is not retried is not remembered: after a crash it is tried again
async def test_bad_input_ends_it_at_the_first_attempt(workflow_env, api, params, message):
    async with introspect_workflow_instance(workflow_env.REPORTS, "report-1") as instance:
        await workflow_env.REPORTS.create({"id": "report-1", "params": params})
        await instance.wait_for_status("errored")

        assert message in (await instance.get_error())["message"]
        assert type(instance.exception).__name__ == "NonRetryableError"
        assert [len(step.attempts) for step in instance.steps] == [1]
        assert not api["create"].called


@pytest.mark.parametrize("answer", [[], {"report": "r-1"}, {"id": 1}, "done"])
@pytest.mark.workflow(crash=False)  # a failure that is not retried is not remembered: after a crash it is tried again
async def test_an_answer_of_unexpected_shape_ends_it_at_the_first_attempt(workflow_env, api, answer):
    api["create"].respond(json=answer)
    async with introspect_workflow_instance(workflow_env.REPORTS, "report-1") as instance:
        await workflow_env.REPORTS.create({"id": "report-1", "params": SALES})
        await instance.wait_for_status("errored")

        assert "the answer has an unexpected shape" in (await instance.get_error())["message"]
        assert api["create"].call_count == 1


@pytest.mark.parametrize(
    ("route", "step"),
    [
        ("create", "create the report"),
        ("list", "gather the files"),
        ("a", "fetch a.csv"),
        ("b", "fetch b.csv"),
        ("attach", "attach hashes and timestamps"),
        ("finalize", "finalize the report"),
    ],
)
@pytest.mark.workflow(crash=False)  # it scripts the answers one by one, and a lost attempt asks for one more
async def test_a_step_that_fails_is_tried_again_alone(workflow_env, api, uploads, route, step):
    works = api[route].return_value
    api[route].side_effect = [httpx.Response(502), httpx.Response(502), works]
    async with introspect_workflow_instance(workflow_env.REPORTS, "report-1") as instance:
        await workflow_env.REPORTS.create({"id": "report-1", "params": SALES})
        await instance.wait_for_status("complete")

        assert {one.name for one in instance.steps if len(one.attempts) == 3} == {step}
        assert {len(one.attempts) for one in instance.steps if one.name != step} == {1}
        assert uploads() == ["r-1/a.csv", "r-1/b.csv"]


@pytest.mark.parametrize("step", ["validate the input", "gather the files", "upload a.csv", "upload b.csv"])
async def test_a_crash_after_a_step_repeats_nothing(workflow_env, api, uploads, step):
    async with introspect_workflow_instance(workflow_env.REPORTS, "report-1") as instance:
        await workflow_env.REPORTS.create({"id": "report-1", "params": SALES})
        await instance.wait_for_step_result(step)

        await instance.crash()
        await instance.wait_for_status("complete")

        assert len((await instance.get_output())["files"]) == 2  # kept in results, not in variables
        assert uploads() == ["r-1/a.csv", "r-1/b.csv"]
        assert api["finalize"].called


@pytest.mark.workflow(crash=False)  # it counts attempts, and a lost one is one more
async def test_a_crash_right_after_an_upload_reached_the_archive(workflow_env, api, uploads):
    async with introspect_workflow_instance(workflow_env.REPORTS, "report-1") as instance:
        async with instance.modify() as m:
            m.crash("lost:upload a.csv#1")  # the file is there, and the engine dies before it knows
        await workflow_env.REPORTS.create({"id": "report-1", "params": SALES})
        await instance.wait_for_status("complete")

        upload = next(step for step in instance.steps if step.name == "upload a.csv")
        assert len(upload.attempts) == 2  # the step did run twice,
        assert uploads() == ["r-1/a.csv", "r-1/b.csv"]  # but looked first
