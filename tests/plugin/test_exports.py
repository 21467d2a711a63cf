"""Workflows without a binding: declared in `exports`, reached through `ctx.exports`."""

import json

import pytest

CONFIG = {
    "name": "shop",
    "main": "src/entry.py",
    "compatibility_date": "2026-11-10",
    "compatibility_flags": ["disable_python_no_global_handlers"],
    "exports": {"Report": {"type": "workflow", "name": "report"}},
}
ENTRY = """
    from workers import Response, WorkerEntrypoint, WorkflowEntrypoint


    class Report(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("count")
            async def count():
                return event["payload"].get("n", 0) + 1

            @step.do("go on")
            async def go_on(count):
                if count < 3:
                    await self.ctx.exports.Report.create({"id": f"report-{count}", "params": {"n": count}})
                return count

            n = await go_on()
            return [event["workflowName"], n]


    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            handle = await self.ctx.exports.Report.create({"id": "first"})
            return Response(handle.id)
"""


def configure(worker, entry=ENTRY, **changes):
    worker.set(workflows_ignore_rules="reused-id")  # the ids are of no interest here
    worker.write("wrangler.jsonc", json.dumps({**CONFIG, **changes}, indent=2))
    worker.write("src/entry.py", entry)


def test_a_workflow_that_is_only_exported_runs(worker):
    configure(worker)

    worker.run(
        """
        from pytest_workflows import introspect_workflow


        async def test_it(workflow_worker, workflow_engine, workflow_env):
            binding = workflow_engine.bindings["Report"]
            assert not hasattr(workflow_env, "Report")
            async with introspect_workflow(binding) as introspector:
                assert await (await workflow_worker.fetch("/")).text() == "first"
                await workflow_engine.run_until_idle()

                assert [one.id for one in introspector.get()] == ["first", "report-1", "report-2"]
                assert [await one.get_output() for one in introspector.get()] == [
                    ["report", 1], ["report", 2], ["report", 3]
                ]
            assert (await binding.create()).id
        """
    ).assert_outcomes(passed=1)


def test_a_handler_that_is_a_function_has_them_too(worker):
    configure(
        worker,
        """
        from workers import Response, WorkflowEntrypoint


        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                return 1


        async def on_fetch(request, env, ctx):
            return Response(repr(ctx.exports) + (await ctx.exports.Report.create(id="x")).id)
        """,
    )

    worker.run(
        """
        async def test_it(workflow_worker):
            assert await (await workflow_worker.fetch("/")).text() == "[object Object]x"
        """
    ).assert_outcomes(passed=1)


def test_a_workflow_that_is_bound_and_exported_is_one_workflow_with_the_exports_settings(worker):
    configure(
        worker,
        workflows=[{"binding": "REPORTS", "name": "report", "class_name": "Report"}],
        exports={"Report": {"type": "workflow", "name": "report", "limits": {"steps": 7}}},
    )

    worker.run(
        """
        async def test_it(workflow_worker, workflow_engine, workflow_env):
            await workflow_worker.fetch("/")

            assert list(workflow_engine.bindings) == ["REPORTS"]
            assert (await workflow_env.REPORTS.get("first")).id == "first"
            assert workflow_env.REPORTS.workflow.step_limit == 7
        """
    ).assert_outcomes(passed=1)


def test_an_export_whose_class_has_the_name_of_another_binding_is_told_apart(worker):
    configure(worker, workflows=[{"binding": "Report", "name": "other", "class_name": "Report"}])

    worker.run(
        """
        async def test_it(workflow_worker, workflow_engine, workflow_env):
            await workflow_worker.fetch("/")

            assert sorted(workflow_engine.bindings) == ["Report", "exports.Report"]
            assert (await workflow_engine.bindings["exports.Report"].get("first")).id == "first"
            assert workflow_env.Report.workflow.workflow_name == "other"
        """
    ).assert_outcomes(passed=1)


def test_what_workflow_bindings_gives_for_the_class_wins(worker):
    configure(worker)

    worker.run(
        """
        import pytest
        from workers import WorkflowEntrypoint


        class Other(WorkflowEntrypoint):
            async def run(self, event, step):
                return "other"


        @pytest.fixture
        def workflow_bindings():
            return {"Report": Other}


        async def test_it(workflow_worker, workflow_engine):
            await workflow_worker.fetch("/")
            await workflow_engine.run_until_idle()
            handle = await workflow_engine.bindings["Report"].get("first")
            assert (await handle.status())["output"] == "other"
        """
    ).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        (
            "Reports",
            "AttributeError",
            "ctx.exports has no 'Reports': * has no such class. Did you mean 'Report'? Exported workflows: Report. Add "
            'it to *wrangler.jsonc: "exports": {"Reports": {"type": "workflow", "name": "..."}}.*',
        ),
        ("Hidden", "AttributeError", "ctx.exports has no 'Hidden': * has that class, but the configuration does not*"),
        (
            "Room",
            "MissingBindingError",
            "ctx.exports.Room was used (src/entry.py:*): the platform has it (an export of type 'durable-*",
        ),
        (
            "Cat",
            "MissingBindingError",
            "ctx.exports.Cat was used (src/entry.py:*): the platform has it (an export of type 'durable-*",
        ),
    ],
)
def test_what_is_not_exported_says_so(worker, asked, error, message):
    configure(
        worker,
        f"""
        from workers import DurableObject, Response, WorkerEntrypoint, WorkflowEntrypoint


        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                return 1


        class Hidden(Report):
            pass


        class Cat(DurableObject):
            pass


        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                return Response(str(self.ctx.exports.{asked}))
        """,
        exports={**CONFIG["exports"], "Room": {"type": "durable-object", "storage": "sqlite"}},
    )

    result = worker.run("async def test_it(workflow_worker):\n    await workflow_worker.fetch('/')\n")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"E *{error}: {message.replace('[', '[[]')}"])


@pytest.mark.parametrize(
    ("date", "flags", "is_there"),
    [
        ("2025-11-16", [], False),
        ("2025-11-17", [], True),
        ("2025-11-16", ["enable_ctx_exports"], True),
        ("2026-11-10", ["disable_ctx_exports"], False),
    ],
)
def test_exports_are_there_by_date_unless_a_flag_says_otherwise(worker, date, flags, is_there):
    configure(
        worker,
        """
        from workers import Response, WorkerEntrypoint, WorkflowEntrypoint


        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                return 1


        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                assert not hasattr(self.ctx, "nonsense")
                try:
                    return Response(self.ctx.exports.Report.workflow.name)
                except AttributeError as error:
                    return Response(str(error))
        """,
        compatibility_date=date,
        compatibility_flags=flags,
    )

    result = worker.run(
        """
        async def test_it(workflow_worker):
            print("TOLD", await (await workflow_worker.fetch("/")).text())
        """,
        "-s",
    )

    result.assert_outcomes(passed=1)
    reported = "Report" if is_there else "ctx has no exports: they are there from compatibility date 2025-11-17 on, *"
    result.stdout.fnmatch_lines([f"*TOLD {reported}"])


def test_without_a_configuration_there_are_none(worker):
    (worker.path / "wrangler.jsonc").unlink()

    result = worker.run(
        """
        import pytest
        from workers import WorkflowEntrypoint


        class Orders(WorkflowEntrypoint):
            async def run(self, event, step):
                return self.ctx.exports.Orders


        @pytest.fixture
        def workflow_bindings():
            return {"ORDERS": Orders}


        async def test_it(workflow_env, workflow_engine):
            handle = await workflow_env.ORDERS.create()
            await workflow_engine.run_until_idle()
            print("TOLD", (await handle.status())["error"]["message"].splitlines()[-1])
        """,
        "-s",
    )

    result.stdout.fnmatch_lines(["*TOLD AttributeError: ctx.exports has no 'Orders': exports come from the wrangler *"])


def test_a_failing_instance_of_an_exported_workflow_is_recorded_and_replays(worker):
    configure(worker)
    worker.run(
        """
        async def test_it(workflow_worker, workflow_engine):
            await workflow_worker.fetch("/")
            await workflow_engine.run_until_idle()
            assert False
        """
    ).assert_outcomes(failed=1)

    worker.run(None, "--workflows-replay=.workflows/failures").assert_outcomes(passed=3)


def test_entrypoints_are_exported_and_take_props(worker):
    configure(
        worker,
        """
        from js import Object
        from pyodide.ffi import to_js
        from workers import Response, WorkerEntrypoint, WorkflowEntrypoint


        def by_hand(value):
            return to_js(value, dict_converter=Object.fromEntries)


        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                return 1


        class Named(WorkerEntrypoint):
            async def whoami(self):
                return getattr(self.ctx.props, "who", "nobody")


        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                exports = self.ctx.exports
                names = [await exports.Named.whoami(), await exports.Named(props=by_hand({"who": "me"})).whoami()]
                return Response(f"{sorted(dir(exports))} {names}")
        """,
    )

    worker.run(
        """
        async def test_it(workflow_worker):
            text = await (await workflow_worker.fetch("/")).text()

            assert text == "['Default', 'Named', 'Report'] ['nobody', 'me']"
        """
    ).assert_outcomes(passed=1)


def test_durable_objects_that_the_configuration_declares_are_exported(worker):
    configure(
        worker,
        """
        from workers import DurableObject, Response, WorkerEntrypoint, WorkflowEntrypoint


        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                return 1


        class Room(DurableObject):
            async def enter(self, who):
                self.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS visits(who)")
                self.ctx.storage.sql.exec("INSERT INTO visits VALUES (?)", who)
                return self.ctx.storage.sql.exec("SELECT count(*) AS n FROM visits").one()["n"]


        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                room = self.ctx.exports.Room.getByName("lobby")
                return Response(str([await room.enter("a"), await room.enter("b")]))
        """,
        exports={**CONFIG["exports"], "Room": {"type": "durable-object", "storage": "sqlite"}},
    )

    worker.run(
        """
        async def test_it(workflow_worker):
            assert await (await workflow_worker.fetch("/")).text() == "[1, 2]"
        """
    ).assert_outcomes(passed=1)
