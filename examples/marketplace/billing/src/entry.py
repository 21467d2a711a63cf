"""Payments: each is entered once, and the order of the shop that waits for it is told."""

from workers import WorkerEntrypoint, WorkflowEntrypoint


class PaymentWorkflow(WorkflowEntrypoint):
    """One payment of an order."""

    async def run(self, event, step):
        order, cents = event["payload"]["order"], event["payload"]["cents"]

        @step.do("enter it")
        async def enter():
            statement = self.env.LEDGER.prepare("INSERT INTO payments VALUES (?, ?) ON CONFLICT DO NOTHING")
            await statement.bind(order, cents).run()

        @step.do("tell the order")
        async def tell():
            waiting = await self.env.ORDERS.get(order)
            # Whoever is told twice has ended by then, or goes on with the first word.
            if (await waiting.status())["status"] == "waiting":
                await waiting.send_event({"type": "payment", "payload": {"cents": cents}})

        await step.sleep("the bank's night", "12 hours")
        await enter()
        await tell()


class Default(WorkerEntrypoint):
    """What other Workers ask of billing."""

    async def paid(self, order):
        row = await self.env.LEDGER.prepare("SELECT cents FROM payments WHERE order_id = ?").bind(order).first()
        return None if row is None else row["cents"]

    async def receipt(self, order, cents):
        await self.env.PAID.send({"order": order, "cents": cents})
