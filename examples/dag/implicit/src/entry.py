"""Two steps and a third that depends on both: a parameter's name is the name of the step that it gets the result of."""

from workers import WorkflowEntrypoint


class DagWorkflow(WorkflowEntrypoint):
    """Adds up what two steps give, which run at the same time."""

    async def run(self, event, step):
        @step.do()  # without a name, a step is called as its function
        async def dependency_a():
            return event["payload"]["a"]

        @step.do()
        async def dependency_b():
            return event["payload"]["b"]

        @step.do("final step", concurrent=True)
        async def final_step(dependency_b, dependency_a, ctx):  # by name, in whatever order
            return {"sum": dependency_a + dependency_b, "attempt": ctx.attempt}

        return await final_step()
