"""The report of a day's orders, made every morning."""

import json
from datetime import UTC, datetime

from workers import WorkflowEntrypoint


async def start_report(env, scheduled_time):
    day = datetime.fromtimestamp(scheduled_time / 1000, UTC).date().isoformat()
    await env.REPORTS.create({"id": f"report-{day}", "params": {"day": day}})


class ReportWorkflow(WorkflowEntrypoint):
    async def run(self, event, step):
        @step.do("count the orders")
        async def count():
            found = await self.env.DB.prepare("SELECT status, count(*) AS n FROM orders GROUP BY status").all()
            return {row["status"]: row["n"] for row in found.results}

        counts = await count()

        @step.do("write the report")
        async def write():
            await self.env.FILES.put(f"reports/{event['payload']['day']}.json", json.dumps(counts))

        await write()
        return counts
