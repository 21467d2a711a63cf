"""An order is paid by card or by bank transfer. The first payment counts; a second one is given back.

A race is not over when it is over: after a crash `run` starts from the top, both events are there at once, and asking
again who was first would get another answer. So the race is decided inside a step, whose result is stored.
"""

import asyncio

from workers import Response, WorkerEntrypoint, WorkflowEntrypoint


def paid(task):
    """Whether a wait has ended, and with an event."""
    return task.done() and task.exception() is None


class CheckoutWorkflow(WorkflowEntrypoint):
    """One instance waits for the payment of one order."""

    async def run(self, event, step):
        card = asyncio.create_task(step.wait_for_event("wait for the card", "card-paid", timeout="1 hour"))
        transfer = asyncio.create_task(step.wait_for_event("wait for the transfer", "transfer-paid", timeout="7 days"))
        ways = {"card": card, "transfer": transfer}

        # A wait is also done when its time is over: then the other one goes on alone.
        pending, payments = set(ways.values()), []
        while pending and not payments:
            _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            payments = [task for task in ways.values() if paid(task)]

        @step.do("decide which payment counts")
        async def decide():
            # On a replay both may be done by now. This does not run then: the stored answer holds.
            for name, task in ways.items():
                if paid(task):
                    return {"way": name, "amount": task.result()["payload"]["amount"]}
            return None  # both waits have timed out

        first = await decide()
        if first is None:
            return {"status": "not paid"}

        @step.do("ship the order")
        async def ship():
            return await self.env.WAREHOUSE.ship(event["instanceId"])

        await ship()

        # The other wait is not thrown away: a payment that nobody looks for would be lost. Whether it ends with an
        # event or with its timeout is stored as well, so this needs no further step.
        other = "transfer" if first["way"] == "card" else "card"
        try:
            second = await ways[other]
        except Exception:
            return {"status": "paid", "by": first["way"]}

        @step.do("refund the second payment")
        async def refund():
            # The key lets the bank know the second call for the first, should this run again.
            key = f"{event['instanceId']}-refund"
            return await self.env.BANK.refund(other, second["payload"]["amount"], idempotency_key=key)

        await refund()
        return {"status": "paid", "by": first["way"], "refunded": other}


class Default(WorkerEntrypoint):
    """The webhooks of the card company and of the bank: /card-paid/ORDER and /transfer-paid/ORDER."""

    async def fetch(self, request):
        kind, order = request.url.split("/")[3:5]
        instance = await self.env.CHECKOUT.get(order)
        await instance.send_event({"type": kind, "payload": await request.json()})
        return Response(None, status=204)
