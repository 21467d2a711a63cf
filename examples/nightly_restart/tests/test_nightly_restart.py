"""The night's cron trigger, called by hand."""

import httpx
import pytest
import respx

from pytest_workflows import introspect_workflow


@pytest.mark.workflow(crash=False)  # it scripts the answers one by one, and a lost attempt asks for one more
async def test_at_night_only_what_ended_with_an_error_runs_again(workflow_env, workflow_worker):
    with respx.mock:
        first = respx.post("https://export.example.com/days/2026-11-01")
        first.mock(side_effect=[httpx.Response(503)] * 3 + [httpx.Response(200, json={"rows": 12})])
        second = respx.post("https://export.example.com/days/2026-11-02")
        second.mock(return_value=httpx.Response(200, json={"rows": 7}))

        async with introspect_workflow(workflow_env.EXPORTS) as introspector:
            for day in ("2026-11-01", "2026-11-02"):
                await workflow_worker.fetch(f"/export/{day}")
            failed, done = introspector.get()
            await failed.wait_for_status("errored")
            await done.wait_for_status("complete")

            await workflow_worker.scheduled(cron="0 3 * * *")

            await failed.wait_for_status("complete")
            assert await failed.get_output() == {"rows": 12}
            assert second.call_count == 1
