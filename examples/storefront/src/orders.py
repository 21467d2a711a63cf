"""An order: reserve, take the money, write the invoice, say so; and let go of the stock if the money does not come."""

import json

from pyodide.ffi import JsException
from workers import WorkflowEntrypoint, fetch
from workers.workflows import NonRetryableError


class OrderWorkflow(WorkflowEntrypoint):
    """One instance handles one order; its id is the order's number."""

    async def run(self, event, step):
        number, customer = event["instanceId"], event["payload"]["customer"]

        @step.do("reserve")
        async def reserve():
            lines = await self._lines(number)
            # Each statement can be repeated: what is reserved for this order already stays as it is.
            insert = self.env.DB.prepare(
                "INSERT INTO reservations (number, sku, quantity) VALUES (?, ?, ?) ON CONFLICT (number, sku) DO NOTHING"
            )
            try:
                await self.env.DB.batch([insert.bind(number, line["sku"], line["quantity"]) for line in lines])
            except JsException as error:
                if "CHECK constraint failed" in str(error):
                    raise NonRetryableError("out of stock") from None
                raise
            return sum(line["price"] * line["quantity"] for line in lines)

        try:
            total = await reserve()
        except NonRetryableError:
            await self._close(step, number, customer, "sold-out", "We are sorry: that is sold out.")
            return {"status": "sold-out"}

        @step.do("take payment", config={"retries": {"limit": 3, "delay": "30 seconds", "backoff": "exponential"}})
        async def take_payment():
            response = await fetch(
                f"{self.env.PAYMENT_API}/charges",
                method="POST",
                headers={"content-type": "application/json", "idempotency-key": number},
                body=json.dumps({"amount": total, "card": event["payload"]["card"]}),
            )
            if response.status == 402:
                raise NonRetryableError("the card was declined")
            if response.status >= 400:
                raise RuntimeError(f"the bank answered {response.status}")
            return (await response.json())["id"]

        try:
            charge = await take_payment()
        except Exception:

            @step.do("release")
            async def release():
                await self.env.DB.prepare("DELETE FROM reservations WHERE number = ?").bind(number).run()

            await release()
            await self._close(step, number, customer, "unpaid", "We could not take the payment.")
            return {"status": "unpaid"}

        @step.do("write the invoice")
        async def write_invoice():
            lines = [f"{line['quantity']} x {line['name']}" for line in await self._lines(number)]
            text = "\n".join([f"Order {number}", *lines, f"Total: {total / 100:.2f}", f"Paid by {charge}"])
            await self.env.FILES.put(f"invoices/{number}.txt", text, httpMetadata={"contentType": "text/plain"})

        await write_invoice()
        await self._close(step, number, customer, "paid", "Thank you for your order.")
        return {"status": "paid", "charge": charge}

    async def _lines(self, number):
        lines = self.env.DB.prepare(
            "SELECT sku, name, price, quantity FROM lines JOIN products USING (sku) WHERE number = ? ORDER BY sku"
        )
        return (await lines.bind(number).all()).results

    async def _close(self, step, number, customer, status, text):
        @step.do("set the status")
        async def set_status():
            await self.env.DB.prepare("UPDATE orders SET status = ? WHERE number = ?").bind(status, number).run()

        @step.do("send mail")
        async def send_mail():
            await self.env.MAIL.send({"key": f"{number}-{status}", "to": customer, "text": text})

        await set_status()
        await send_mail()
