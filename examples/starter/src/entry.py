"""A step, a sleep, a wait for an event, a wait for a date: one of everything, as in Cloudflare's own sample."""

from datetime import UTC, datetime, timedelta

from workers import Response, WorkerEntrypoint, WorkflowEntrypoint

LAUNCH = datetime(2024, 10, 24, 13, 0, tzinfo=UTC)


class StarterWorkflow(WorkflowEntrypoint):
    """Greets somebody, at the hour of the launch at the earliest."""

    async def run(self, event, step):
        payload = event["payload"]

        @step.do("read the payload")
        async def read_payload():
            return {"name": payload["name"], "email": payload["email"]}

        person = await read_payload()

        # As in the published sample, this sleep is NOT awaited. The platform starts it, logs it, and `run` goes on at
        # once: nothing waits for these 30 minutes. (A step that is not awaited would not even start.)
        step.sleep("a pause that nobody waits for", "30 minutes")

        go_ahead = await step.wait_for_event("wait for the go-ahead", "go-ahead", timeout="1 hour")

        # The published sample says `sleep_until`. The local engine ends an instance whose `run` is replayed after that
        # time (docs/reference/rules/engine-hazard.md); a sleep is found again by its name and duration.
        @step.do("how long until the launch?")
        async def time_left():
            return max(0, (LAUNCH - datetime.now(UTC)) // timedelta(milliseconds=1))

        await step.sleep("wait for the launch", await time_left())

        @step.do("greet")
        async def greet():
            # The time is read inside a step: a replay gets the stored answer, not a later time.
            now = datetime.now(UTC)
            return f"Hello {person['name']}, it is {now:%H:%M} and {go_ahead['payload']['by']} let you in."

        return {"to": person["email"], "text": await greet()}


class Default(WorkerEntrypoint):
    """Starts an instance for whoever posts a name and an address."""

    async def fetch(self, request):
        instance = await self.env.STARTER.create({"params": await request.json()})
        return Response.json({"id": instance.id, "details": await instance.status()})
