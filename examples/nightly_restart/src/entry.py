"""Exports the figures of a day, and restarts every night what ended with an error."""

from pyodide.ffi import JsException
from workers import Response, WorkerEntrypoint, WorkflowEntrypoint, fetch


class ExportWorkflow(WorkflowEntrypoint):
    """One instance exports one day; its id is the day."""

    async def run(self, event, step):
        day = event["instanceId"]

        @step.do("export", config={"retries": {"limit": 2, "delay": "1 minute"}})
        async def export():
            # The key lets the service know a second call for the first, should this run again.
            headers = {"idempotency-key": f"export-{day}"}
            response = await fetch(f"{self.env.EXPORT_API}/days/{day}", method="POST", headers=headers)
            if response.status >= 400:
                raise RuntimeError(f"the export answered {response.status}")
            return await response.json()

        return await export()


class Default(WorkerEntrypoint):
    """Starts exports by request, and restarts them by cron."""

    async def fetch(self, request):
        day = request.url.rsplit("/", 1)[1]
        try:
            await self.env.EXPORTS.create({"id": day})
        except JsException as error:
            if "instance.already_exists" not in str(error):
                raise
            return Response(day, status=200)  # a day is exported once, however often it is asked for
        await self.env.STARTED.put(day, "started")
        return Response(day, status=202)

    async def scheduled(self, controller, env, ctx):
        for key in (await self.env.STARTED.list())["keys"]:
            instance = await self.env.EXPORTS.get(key["name"])
            if (await instance.status())["status"] == "errored":
                await instance.restart()
