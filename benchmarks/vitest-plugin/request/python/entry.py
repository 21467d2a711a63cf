from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        row = await self.env.DB.prepare("SELECT ? AS id").bind("a1").first()
        await self.env.KV.put("last", row.id)
        return Response(await self.env.KV.get("last"))
