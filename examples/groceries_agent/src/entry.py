"""Every week: what is missing? The agent makes a list of it, a person agrees or not, and the agent orders."""

import json

from pyodide.ffi import JsException
from workers import Response, WorkerEntrypoint, WorkflowEntrypoint, fetch

DRAFTS = 2


class GroceriesWorkflow(WorkflowEntrypoint):
    """One instance shops for one household, week after week."""

    async def run(self, event, step):
        weeks = []
        for week in range(1, event["payload"]["weeks"] + 1):
            # The steps of every week have the same names; their occurrence tells them apart, here and in the tests.
            weeks.append(await self._week(step, week, f"{event['instanceId']}-{week}"))
            await step.sleep("until next week", "1 week")
        return weeks

    async def _week(self, step, week, order_id):
        # Each question has an event type of its own: the local engine delivers an event again to the next wait of its
        # type when it was restarted in between, and last week's wishes would count for this week.
        wishes = await self._ask(step, "what is missing?", f"wishes-{week}", "2 days")
        if wishes is None:
            return "nothing said"

        comment = None
        for draft in range(1, DRAFTS + 1):
            items = await self._draft(step, wishes["text"], comment)
            answer = await self._ask(step, "is this list right?", f"answer-{week}-{draft}", "1 day")
            if answer is None:
                return "no answer"
            if answer["approved"]:
                return await self._order(step, order_id, items)
            comment = answer["comment"]
        return "rejected"

    async def _draft(self, step, wishes, comment):
        @step.do("write the list")
        async def write_list():
            answer = await self.env.AI.run(
                "@cf/meta/llama-3.1-8b-instruct", {"prompt": f"Wanted: {wishes}. Said about the last list: {comment}."}
            )
            return answer["items"]

        return await write_list()

    async def _order(self, step, order_id, items):
        @step.do("order the groceries")
        async def order():
            response = await fetch(
                f"{self.env.SHOP_API}/orders",
                method="POST",
                headers={"content-type": "application/json", "idempotency-key": order_id},
                body=json.dumps({"items": items}),
            )
            if response.status >= 400:
                raise RuntimeError(f"the shop answered {response.status}")
            return (await response.json())["order"]

        return await order()

    async def _ask(self, step, question, event_type, timeout):
        try:
            return (await step.wait_for_event(question, event_type, timeout=timeout))["payload"]
        except JsException as error:
            if "WorkflowTimeoutError" not in str(error):
                raise
            return None


class Default(WorkerEntrypoint):
    """What the household's app says: POST /INSTANCE/wishes-WEEK or /INSTANCE/answer-WEEK-DRAFT."""

    async def fetch(self, request):
        household, event_type = request.url.split("/")[3:5]
        instance = await self.env.GROCERIES.get(household)
        await instance.send_event({"type": event_type, "payload": await request.json()})
        return Response(None, status=204)
