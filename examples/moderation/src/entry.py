"""Moderates the comments of a blog: a machine decides the clear cases, a person the others."""

import json

from workers import Response, WorkerEntrypoint, WorkflowEntrypoint, fetch


class ModeratorWorkflow(WorkflowEntrypoint):
    """One instance moderates one comment."""

    async def run(self, event, step):
        comment = event["payload"]

        await step.sleep("let the author edit", "10 seconds")

        @step.do("AI content scan")
        async def scan():
            answer = await self.env.AI.run("@cf/meta/llama-guard-3-8b", {"text": comment.get("text", "")})
            return {"violationScore": answer["score"]}

        score = (await scan())["violationScore"]

        if score < 10:

            @step.do("auto approve content")
            async def approve():
                return {"status": "auto_approved"}

            verdict = await approve()
        elif score > 90:

            @step.do("auto reject content")
            async def reject():
                return {"status": "auto_rejected"}

            verdict = await reject()
        else:
            decision = await step.wait_for_event("human review", "moderation-decision", timeout="1 day")

            @step.do("apply moderation decision")
            async def apply():
                return {"status": "approved" if decision["payload"]["approved"] else "rejected"}

            verdict = await apply()

        if verdict["status"] in ("auto_approved", "approved"):

            @step.do("publish comment")
            async def publish():
                response = await fetch(
                    f"{self.env.BLOG_API}/comments/{event['instanceId']}/publish",
                    method="POST",
                    # Should the result be lost, this runs again; by the key the blog knows that it did it already.
                    headers={"content-type": "application/json", "idempotency-key": f"{event['instanceId']}-publish"},
                    body=json.dumps({"text": comment.get("text", "")}),
                )
                if response.status >= 400:
                    raise RuntimeError(f"the blog answered {response.status}")
                return await response.json()

            await publish()

        return verdict


class Default(WorkerEntrypoint):
    """The blog's webhooks."""

    async def fetch(self, request):
        path = request.url.split("/", 3)[3]

        if path == "moderate":
            instance = await self.env.MODERATOR.create({"params": await request.json()})
            return Response.json({"id": instance.id})

        if path == "moderate-batch":
            instances = await self.env.MODERATOR.create_batch(
                [{"params": {"text": f"comment {number}"}} for number in (1, 2, 3)]
            )
            return Response.json({"ids": [instance.id for instance in instances]})

        if path.startswith("status/"):
            instance = await self.env.MODERATOR.get(path.removeprefix("status/"))
            return Response.json(await instance.status())

        if path.startswith("decide/"):
            instance = await self.env.MODERATOR.get(path.removeprefix("decide/"))
            await instance.send_event({"type": "moderation-decision", "payload": await request.json()})
            return Response.json({"status": (await instance.status())["status"]})

        return Response("Not found", status=404)
