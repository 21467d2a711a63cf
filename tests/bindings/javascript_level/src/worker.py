"""The Worker of the JavaScript-level observations: what runs in it comes from the test."""

from workers import DurableObject, Response, WorkerEntrypoint

ON_BATCH = []
"""The async function that gets each batch, as JavaScript has it."""


class Obj(DurableObject):
    async def fetch(self, request):
        return Response("obj")


class KvObj(DurableObject):
    pass


class Default(WorkerEntrypoint):
    async def queue(self, batch, env, ctx):
        for function in ON_BATCH:
            await function(batch._binding)
