"""A pull request is read by a model, and merged or closed by a person. Who does not answer is reminded once."""

import json

from pyodide.ffi import JsException
from workers import Response, WorkerEntrypoint, WorkflowEntrypoint, fetch


class ReviewWorkflow(WorkflowEntrypoint):
    """One instance looks after one pull request; its id is the pull request's number."""

    async def run(self, event, step):
        pull = event["instanceId"]

        @step.do()
        async def diff():
            return await self._git("GET", f"/pulls/{pull}/diff")

        @step.do()
        async def policy():
            return await self._git("GET", "/policy")

        # The parameters name the two steps above, which run at the same time.
        @step.do("review", concurrent=True)
        async def review(diff, policy):
            answer = await self.env.AI.run("@cf/qwen/qwen2.5-coder", {"diff": diff["text"], "policy": policy["text"]})
            return {"findings": answer["findings"]}

        findings = (await review())["findings"]

        @step.do("comment")
        async def comment():
            await self._git("POST", f"/pulls/{pull}/comments", {"findings": findings}, key=f"{pull}-review")

        await comment()

        decision = await self._decision(step, "2 days")
        if decision is None:

            @step.do("remind the reviewer")
            async def remind():
                reminder = {"findings": ["This is still waiting for you."]}
                await self._git("POST", f"/pulls/{pull}/comments", reminder, key=f"{pull}-reminder")

            await remind()
            decision = await self._decision(step, "5 days")

        if decision is None:
            return {"status": "abandoned", "findings": len(findings)}

        @step.do("merge or close")
        async def settle():
            action = "merge" if decision["approved"] else "close"
            await self._git("POST", f"/pulls/{pull}/{action}", {"by": decision["by"]}, key=f"{pull}-{action}")
            return "merged" if decision["approved"] else "closed"

        return {"status": await settle(), "findings": len(findings)}

    async def _decision(self, step, timeout):
        try:
            event = await step.wait_for_event("decision", "review-decision", timeout=timeout)
        except JsException as error:
            if "WorkflowTimeoutError" not in str(error):
                raise
            return None
        return event["payload"]

    async def _git(self, method, path, body=None, key=None):
        response = await fetch(
            f"{self.env.GIT_API}{path}",
            method=method,
            # A step whose result is lost runs again: by the key, the server knows the second call for the first.
            headers={} if key is None else {"idempotency-key": key},
            body=None if body is None else json.dumps(body),
        )
        if response.status >= 400:
            raise RuntimeError(f"{method} {path} answered {response.status}")
        return await response.json()


class Default(WorkerEntrypoint):
    """The webhooks of the Git server: POST /opened/NUMBER and /decided/NUMBER."""

    async def fetch(self, request):
        what, pull = request.url.split("/")[3:5]
        if what == "opened":
            await self.env.REVIEWS.create({"id": pull})
        else:
            instance = await self.env.REVIEWS.get(pull)
            await instance.send_event({"type": "review-decision", "payload": await request.json()})
        return Response(None, status=204)
