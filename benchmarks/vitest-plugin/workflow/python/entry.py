from workers import WorkflowEntrypoint


class Three(WorkflowEntrypoint):
    async def run(self, event, step):
        for name in ("one", "two", "three"):

            @step.do(name)
            async def work():
                return name  # noqa: B023 (awaited in its turn of the loop)

            await work()
