"""A customer's basket: one object each, which reminds of itself when it was left alone for an hour."""

from datetime import datetime, timedelta

from workers import DurableObject

LEFT_ALONE = timedelta(hours=1)


class Basket(DurableObject):
    async def put_item(self, sku, quantity):
        if quantity:
            await self.ctx.storage.put(f"item:{sku}", quantity)
        else:
            await self.ctx.storage.delete(f"item:{sku}")
        await self.ctx.storage.setAlarm(datetime.now() + LEFT_ALONE)
        return await self.items()

    async def items(self):
        found = await self.ctx.storage.list(prefix="item:")
        return {key.removeprefix("item:"): quantity for key, quantity in found.items()}

    async def next_order(self):
        """The number of the next order. It becomes a workflow's id, which takes no `@`."""
        count = (await self.ctx.storage.get("orders") or 0) + 1
        await self.ctx.storage.put("orders", count)
        return f"{self.ctx.id.toString()[:12]}-{count}"

    async def empty(self):
        await self.ctx.storage.delete([f"item:{sku}" for sku in await self.items()])
        await self.ctx.storage.deleteAlarm()

    async def alarm(self):
        items = await self.items()
        if items:
            customer = self.ctx.id.name
            text = f"{sum(items.values())} things are waiting in your basket."
            # An alarm that fails runs again: the key tells the consumer that it knows this message.
            day = datetime.now().date()
            await self.env.MAIL.send({"key": f"{customer}-basket-{day}", "to": customer, "text": text})
