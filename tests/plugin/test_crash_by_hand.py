"""`await instance.crash()`: from the test, and from a fake that the instance itself has called."""


def test_a_fake_may_crash_the_instance_that_called_it(worker):
    worker.set(workflows_ignore_rules="not-idempotent")  # the card is charged twice, which is true
    worker.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint


        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("charge")
                async def charge():
                    print("charging")
                    try:
                        await self.env.CARDS.charge()
                        print("charged")
                    finally:
                        print("finally")
                    return "ok"

                return await charge()
        """,
    )

    result = worker.run(
        """
        import pytest
        from pytest_workflows import introspect_workflow_instance


        class Cards:
            def __init__(self):
                self.calls = 0

            async def charge(self):
                self.calls += 1
                if self.calls == 1:
                    await self.instance.crash()


        @pytest.fixture
        def workflow_bindings():
            return {"CARDS": Cards()}


        async def test_charge(workflow_env, workflow_bindings, capsys):
            async with introspect_workflow_instance(workflow_env.ORDERS, "o-1") as instance:
                workflow_bindings["CARDS"].instance = instance
                await workflow_env.ORDERS.create({"id": "o-1"})
                await instance.wait_for_status("complete")

                assert capsys.readouterr().out.split() == ["charging", "charging", "charged", "finally"]
                assert [attempt.error and attempt.error["message"] for attempt in instance.steps[0].attempts] == [
                    "Attempt failed due to internal workflows error",
                    None,
                ]
        """
    )

    result.assert_outcomes(passed=1)
