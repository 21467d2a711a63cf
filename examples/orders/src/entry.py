"""An order: check the stock, take the money, confirm, book it; and give the money back if it cannot be booked."""

import json

from workers import Response, WorkerEntrypoint, WorkflowEntrypoint, fetch
from workers.workflows import NonRetryableError

PAYMENT = {
    "retries": {"limit": 3, "delay": "30 seconds", "backoff": "exponential"},
    "timeout": "2 minutes",
}


class OrderWorkflow(WorkflowEntrypoint):
    """One instance handles one order; its id is the order's number."""

    async def run(self, event, step):
        order = event["payload"]
        number = event["instanceId"]

        @step.do("check inventory")
        async def check_inventory():
            row = await self.env.DB.prepare("SELECT quantity FROM stock WHERE sku = ?").bind(order["sku"]).first()
            return {"in_stock": row.quantity if row else 0}

        if (await check_inventory())["in_stock"] < order["quantity"]:
            return {"status": "out of stock"}

        @step.do("take payment", config=PAYMENT)
        async def take_payment():
            # An attempt that timed out may have reached the bank: the key lets it know the next one for the same.
            charge = {"amount": order["amount"], "card": order["card"]}
            answer = await self._post(f"{self.env.PAYMENT_API}/charges", charge, key=f"{number}-charge")
            return {"charge": answer["id"]}

        try:
            payment = await take_payment()
        except Exception:

            @step.do("tell that the payment failed")
            async def tell_that_the_payment_failed():
                text = f"We could not take the payment for order {number}."
                await self._mail(order["email"], text, key=f"{number}-payment-failed")

            await tell_that_the_payment_failed()
            return {"status": "payment failed"}

        try:

            @step.do("confirm by email")
            async def confirm():
                await self._mail(order["email"], f"Thank you for order {number}.", key=f"{number}-confirmed")

            @step.do("update the database")
            async def update_database():
                # One statement that can be repeated: the step runs at least once, not exactly once.
                booked = self.env.DB.prepare("INSERT OR IGNORE INTO orders (number, sku, quantity) VALUES (?, ?, ?)")
                await booked.bind(number, order["sku"], order["quantity"]).run()

            await confirm()
            await update_database()
        except Exception:
            # Compensation is steps like any others. A step that failed is remembered: should the engine die in here,
            # the replay raises the same error again and comes back to this block, and goes on where it was.
            @step.do("refund the payment")
            async def refund():
                url = f"{self.env.PAYMENT_API}/charges/{payment['charge']}/refund"
                await self._post(url, {}, key=f"{number}-refund")

            @step.do("apologise")
            async def apologise():
                text = f"We are sorry: order {number} could not be booked."
                await self._mail(order["email"], text, key=f"{number}-not-booked")

            await refund()
            await apologise()
            return {"status": "refunded"}

        return {"status": "confirmed", "charge": payment["charge"]}

    async def _mail(self, to, text, key):
        await self._post(f"{self.env.MAIL_API}/send", {"to": to, "text": text}, key)

    async def _post(self, url, body, key):
        # A step whose result is lost runs again: by the key, the other side knows the second call for the first.
        headers = {"content-type": "application/json", "idempotency-key": key}
        response = await fetch(url, method="POST", headers=headers, body=json.dumps(body))
        if response.status == 402:
            raise NonRetryableError(await response.text())  # the card was declined: asking again is no use
        if response.status >= 400:
            raise RuntimeError(f"{url} answered {response.status}")
        return await response.json()


class Default(WorkerEntrypoint):
    """Takes orders: POST a number and what was ordered."""

    async def fetch(self, request):
        order = await request.json()
        await self.env.ORDERS.create({"id": order["number"], "params": order})
        return Response.json({"number": order["number"]}, status=202)
