"""Two steps and a third that depends on both, as published: `depends=[...]` lists the decorated functions."""

from workers import WorkflowEntrypoint


class DagWorkflow(WorkflowEntrypoint):
    """Adds up what two steps give, which run at the same time."""

    async def run(self, event, step):
        @step.do("dependency a")
        async def dependency_a():
            return event["payload"]["a"]

        @step.do("dependency b")
        async def dependency_b():
            return event["payload"]["b"]

        # The results come in the order of `depends`; what the parameters are called does not matter.
        @step.do("final step", depends=[dependency_a, dependency_b], concurrent=True)
        async def final_step(left, right):
            return {"sum": left + right}

        return await final_step()
