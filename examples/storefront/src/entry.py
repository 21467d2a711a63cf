"""The Worker: requests go to the FastAPI app, messages to the mail service, and every morning a report is made."""

import asgi
from api import app
from basket import Basket
from mail import deliver, keep_undelivered
from orders import OrderWorkflow
from reports import ReportWorkflow, start_report
from workers import WorkerEntrypoint

__all__ = ["Basket", "Default", "OrderWorkflow", "ReportWorkflow"]


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await asgi.fetch(app, request, self.env, self.ctx)

    async def queue(self, batch, env, ctx):
        if batch.queue == "mail-dead":
            await keep_undelivered(self.env, batch.messages)
        else:
            await deliver(self.env, batch.messages)

    async def scheduled(self, controller, env, ctx):
        await start_report(self.env, controller.scheduledTime)
