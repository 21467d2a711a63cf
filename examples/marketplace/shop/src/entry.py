"""A shop: an order asks the Worker `billing` for its payment, waits for the word that it came, and is shipped."""

from workers import Response, WorkerEntrypoint, WorkflowEntrypoint


class OrderWorkflow(WorkflowEntrypoint):
    """One order, from the click to the parcel."""

    async def run(self, event, step):
        order, cents = event["instanceId"], event["payload"]["cents"]

        @step.do("ask for the payment")
        async def ask():
            # An id that exists already is left out: asked twice, there is one payment.
            await self.env.PAYMENTS.create_batch([{"id": order, "params": {"order": order, "cents": cents}}])

        @step.do("put it on the shelf")
        async def shelve():
            await self.env.SHELF.put(order, "ready to ship")

        await ask()
        paid = await step.wait_for_event("the payment", "payment", timeout="7 days")
        await shelve()
        return {"order": order, "paid": paid["payload"]["cents"]}


class Default(WorkerEntrypoint):
    """The shop's site, and its consumer of what was paid."""

    async def fetch(self, request):
        order = request.url.rpartition("/")[2]
        if request.method == "POST":
            body = await request.json()
            await self.env.ORDERS.create({"id": order, "params": {"cents": body["cents"]}})
            return Response(None, status=202)
        return Response.json({"order": order, "paid": await self.env.BILLING.paid(order)})

    async def queue(self, batch, env, ctx):
        for message in batch.messages:
            await self.env.SHELF.put(f"receipt of {message.body['order']}", f"{message.body['cents']} cents")
