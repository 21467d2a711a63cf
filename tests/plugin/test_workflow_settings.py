"""What the configuration says of a workflow has its effect in a test: schedules, concurrency, default retention."""

import json

WORKFLOW = {"binding": "ORDERS", "name": "orders", "class_name": "OrderWorkflow"}
ENTRY = """
    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            await step.sleep("nap", "1 hour")
            return dict(event.get("schedule") or {})


    class Report(OrderWorkflow):
        pass
"""
HANDLER = """

    class Default(WorkerEntrypoint):
        async def scheduled(self, controller, env, ctx):
            print("HANDLER", controller.cron, int(controller.scheduledTime))
"""


def configure(worker, entry=ENTRY, exports=None, **settings):
    config = {
        "name": "shop",
        "main": "src/entry.py",
        "compatibility_date": "2026-11-10",
        "workflows": [{**WORKFLOW, **settings}],
        "exports": exports or {},
    }
    worker.write("wrangler.jsonc", json.dumps(config, indent=2))
    worker.write("src/entry.py", entry)


# -- schedules -------------------------------------------------------------------------------------


def test_a_cron_starts_the_workflows_that_it_schedules_without_a_handler(worker):
    configure(
        worker,
        schedules=["0 * * * *", "*/15 9-17 * * MON-FRI"],
        exports={"Report": {"type": "workflow", "name": "report", "schedules": "0 * * * *"}},
    )

    worker.run(
        """
        import pytest

        from pytest_workflows import introspect_workflow_instance


        @pytest.mark.workflow(now="2026-01-01T00:00:00Z")
        async def test_it(workflow_worker, workflow_engine, workflow_env):
            id = "0 * * * *-1767225600000"
            async with introspect_workflow_instance(workflow_engine.bindings["Report"], id) as report:
                await workflow_worker.scheduled(cron="0 * * * *")

                assert [(one.workflow.name, one.id) for one in workflow_engine.instances] == [
                    ("ORDERS", id), ("Report", id)
                ]
                await report.wait_for_status("complete")
                assert await report.get_output() == {"cron": "0 * * * *", "scheduledTime": 1767225600000}
                assert report.history[0].detail["trigger"] == {"source": "cron"}
            handle = await workflow_env.ORDERS.get(id)
            assert (await handle.status())["status"] == "complete"
            assert (await workflow_env.ORDERS.deleteBatch([id]))["deleted"] == [{"id": id}]


        @pytest.mark.workflow(now="2026-01-01T00:00:00Z")
        async def test_another(workflow_worker, workflow_engine):
            await workflow_worker.scheduled(cron="*/15 9-17 * * MON-FRI", scheduled_time=5)
            assert [one.id for one in workflow_engine.instances] == ["*/15 9-17 * * MON-FRI-5"]
        """
    ).assert_outcomes(passed=2)


def test_a_handler_is_called_beside_the_workflows(worker):
    entry = ENTRY.replace("import WorkflowEntrypoint", "import WorkerEntrypoint, WorkflowEntrypoint") + HANDLER
    configure(worker, entry, schedules=["0 * * * *"])

    result = worker.run(
        """
        async def test_it(workflow_worker, workflow_engine):
            await workflow_worker.scheduled(cron="0 * * * *", scheduled_time=5)
            assert [one.id for one in workflow_engine.instances] == ["0 * * * *-5"]
            await workflow_worker.scheduled(cron="1 * * * *", scheduled_time=6)
            assert len(workflow_engine.instances) == 1
        """,
        "-s",
    )

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*HANDLER 0 * * * * 5", "HANDLER 1 * * * * 6"])


def test_a_cron_of_a_named_entrypoint_calls_its_handler_and_starts_no_workflow(worker):
    entry = ENTRY.replace("import WorkflowEntrypoint", "import WorkerEntrypoint, WorkflowEntrypoint")
    entry += HANDLER.replace("Default", "Nightly")
    configure(worker, entry, schedules=["0 * * * *"])

    result = worker.run(
        """
        async def test_it(workflow_worker, workflow_engine):
            await workflow_worker.entrypoint("Nightly").scheduled(cron="0 * * * *", scheduled_time=5)
            assert list(workflow_engine.instances) == []
        """,
        "-s",
    )

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*HANDLER 0 * * * * 5"])


def test_a_cron_that_nothing_is_scheduled_by_names_those_that_there_are(worker):
    configure(worker, schedules=["0 * * * *"])

    result = worker.run(
        """
        async def test_it(workflow_worker):
            await workflow_worker.scheduled(cron="0  * * * *")
        """
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *WorkflowConfigError: The cron '0  * * * *' starts nothing: the Worker has no scheduled handler, and "
            f"{worker.path}/wrangler.jsonc schedules workflows by '0 * * * *' only. Give one of these, as it is written "
            "there."
        ]
    )


def test_a_stand_in_that_is_no_workflow_cannot_be_started_by_a_cron(worker):
    configure(worker, schedules=["0 * * * *"])

    result = worker.run(
        """
        import pytest


        @pytest.fixture
        def workflow_bindings():
            return {"ORDERS": "fake"}


        async def test_it(workflow_worker):
            await workflow_worker.scheduled(cron="0 * * * *")
        """
    )

    result.stdout.fnmatch_lines(["E *InvalidArgumentError: The cron '0 * * * *' starts the workflow 'ORDERS', and *"])


def test_a_cron_of_another_workers_workflow_starts_nothing_here(worker):
    configure(worker, schedules=["0 * * * *"], script_name="billing")

    result = worker.run(
        """
        async def test_it(workflow_worker):
            await workflow_worker.scheduled(cron="0 * * * *")
        """
    )

    result.stdout.fnmatch_lines(["E *WorkflowConfigError: *entry.py has no scheduled handler: *"])


def test_a_recording_of_a_scheduled_instance_replays_with_its_schedule(worker):
    configure(worker, schedules=["0 * * * *"])
    worker.run(
        """
        async def test_it(workflow_worker, workflow_engine):
            await workflow_worker.scheduled(cron="0 * * * *", scheduled_time=5)
            await workflow_engine.run_until_idle()
            assert False
        """
    ).assert_outcomes(failed=1)

    worker.run(None, "--workflows-replay=.workflows/failures").assert_outcomes(passed=1)


# -- concurrency, retention ------------------------------------------------------------------------


def test_instances_over_the_limit_are_queued(worker):
    configure(worker, concurrency={"limit": 1})

    result = worker.run(
        """
        import asyncio

        from pytest_workflows import introspect_workflow_instance


        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "b") as second:
                first = await workflow_env.ORDERS.create({"id": "a"})
                await workflow_env.ORDERS.create({"id": "b"})
                assert (await second.status())["status"] == "queued"
                await second.wait_for_status("complete")
                queued, *_, ended = second.history
                assert (ended.at - queued.at).total_seconds() == 2 * 3600
                assert (await first.status())["status"] == "complete"


        async def test_stuck(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "b") as second:
                first = await workflow_env.ORDERS.create({"id": "a"})
                await workflow_env.ORDERS.create({"id": "b"})
                while (await first.status())["status"] != "waiting":
                    await asyncio.sleep(0)
                await first.pause()
                await second.wait_for_status("complete")
        """
    )

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *NeverHappensError: Waiting for status 'complete' of instance 'b' of 'ORDERS'.",
            "E *It is queued: concurrency.limit lets 1 instance(s) of 'ORDERS' run at a time, and the slots are held by "
            "'a' (paused). Bring one of them to its end, or delete it.",
        ]
    )


def test_the_default_retention_holds(worker):
    configure(worker, default_retention={"success_retention": "1 day", "error_retention": 1000})

    worker.run(
        """
        async def test_it(workflow_env, workflow_engine, workflow_clock):
            await workflow_env.ORDERS.create({"id": "a"})
            await workflow_env.ORDERS.create({"id": "b", "retention": {"successRetention": "2 days"}})
            await workflow_engine.run_until_idle()
            await workflow_clock.advance("1 day")
            assert [one.id for one in workflow_engine.instances] == ["b"]
        """
    ).assert_outcomes(passed=1)


def test_a_retention_that_cannot_be_read_is_an_error_with_its_line(worker):
    configure(worker, default_retention={"success_retention": "soon"})

    result = worker.run("async def test_it(workflow_env):\n    await workflow_env.ORDERS.create()\n")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *WorkflowConfigError: *wrangler.jsonc:9: retention.successRetention*'soon'*"])
