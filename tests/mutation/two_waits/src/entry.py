"""Two waits for one type. No example has them: after a crash the vendor's engine delivers an event twice there."""

from workers import WorkflowEntrypoint


class TwoWaits(WorkflowEntrypoint):
    """Takes two events, in the order in which they came."""

    async def run(self, event, step):
        return [(await step.wait_for_event(name, "said"))["payload"] for name in ("first", "second")]
