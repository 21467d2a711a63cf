"""Three days after a cart was filled: an email, unless it was checked out."""

import json

from workers import WorkflowEntrypoint, fetch


class CartReminderWorkflow(WorkflowEntrypoint):
    """One instance looks after one cart."""

    async def run(self, event, step):
        cart_id = event["payload"]["cart"]

        await step.sleep("give them time", "3 days")

        # Read after the sleep, not before: what counts is the cart as it is then.
        @step.do("read the cart")
        async def read_cart():
            row = await self.env.DB.prepare("SELECT * FROM carts WHERE id = ?").bind(cart_id).first()
            if not row:
                return {"found": False}
            # `row.items` would be the method of a dict, which a row is: a column of that name is read by its key.
            return {"found": True, "checked_out": bool(row.checked_out), "email": row.email, "items": row["items"]}

        cart = await read_cart()

        if not cart["found"] or cart["checked_out"]:
            return {"reminded": False}

        @step.do("send the reminder")
        async def send_reminder():
            response = await fetch(
                f"{self.env.MAIL_API}/send",
                method="POST",
                headers={"content-type": "application/json", "idempotency-key": f"{event['instanceId']}-reminder"},
                body=json.dumps({"to": cart["email"], "text": f"{cart['items']} things are waiting in your cart."}),
            )
            if response.status >= 400:
                raise RuntimeError(f"the mail service answered {response.status}")

        await send_reminder()

        return {"reminded": True}
