"""Train, evaluate, adjust, and again: until the loss is low enough, or a person stops it."""

from pyodide.ffi import JsException
from workers import Response, WorkerEntrypoint, WorkflowEntrypoint

MOST_ROUNDS = 8


class TrainingWorkflow(WorkflowEntrypoint):
    """One instance trains one model. `env.CLUSTER` is the Worker in front of the machines that do the work."""

    async def run(self, event, step):
        target = event["payload"]["target_loss"]
        rate = event["payload"]["learning_rate"]
        checkpoint = None
        losses = []

        # These variables are assigned in `run`, from what steps returned: a replay fills them again in the same way.
        for number in range(MOST_ROUNDS):
            checkpoint = await self._train(step, f"{event['instanceId']}-{number}", checkpoint, rate)

            # A pause that a person can end: the wait's timeout is the ordinary case. What it was is stored, so that a
            # replay goes the same way; a task that is asked `done()` beside the loop would not promise that.
            stopped = await self._stopped(step)

            loss = await self._evaluate(step, checkpoint)
            losses.append(loss)
            if loss <= target:
                return {"status": "good enough", "checkpoint": checkpoint, "losses": losses}
            if stopped:
                return {"status": "stopped", "checkpoint": checkpoint, "losses": losses}

            rate = await self._adjust(step, rate, losses[-2:])

        return {"status": "gave up", "checkpoint": checkpoint, "losses": losses}

    async def _train(self, step, job, checkpoint, rate):
        @step.do("train", config={"retries": {"limit": 2, "delay": "5 minutes", "backoff": "constant"}})
        async def train():
            # The cluster trains a job once: asked for it again, it gives what came of it.
            return await self.env.CLUSTER.train(checkpoint, rate, job=job)

        return await train()

    async def _stopped(self, step):
        try:
            await step.wait_for_event("let it cool down, or stop", "stop", timeout="1 hour")
        except JsException as error:
            if "WorkflowTimeoutError" not in str(error):
                raise
            return False
        return True

    async def _evaluate(self, step, checkpoint):
        @step.do("evaluate")
        async def evaluate():
            return await self.env.CLUSTER.evaluate(checkpoint)

        return await evaluate()

    async def _adjust(self, step, rate, last):
        @step.do("adjust")
        async def adjust():
            worse = len(last) == 2 and last[1] >= last[0]
            return rate / 2 if worse else rate

        return await adjust()


class Default(WorkerEntrypoint):
    """POST /stop/INSTANCE stops a training after the round that runs."""

    async def fetch(self, request):
        instance = await self.env.TRAINING.get(request.url.split("/")[4])
        await instance.send_event({"type": "stop"})
        return Response(None, status=204)
