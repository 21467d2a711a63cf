"""changed-event: `run` or a step changes the event it was given."""

from typing import Any

import pytest

BAD = {
    "run sets a key": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                event["payload"]["name"] = event["payload"]["name"].strip()  # <-- here

                @step.do()
                async def greet():
                    return event["payload"]["name"]

                return await greet()
    """,
    "run changes a part of it under another name": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                payload = event["payload"]
                tags = payload["tags"]
                tags.sort()  # <-- here
                return tags
    """,
    "a step adds to it": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                payload = event["payload"]

                @step.do()
                async def look_up():
                    payload["customer"] = {"id": 1}  # <-- here

                @step.do()
                async def greet():
                    return payload["customer"]

                await look_up()
                return await greet()
    """,
    "a step takes from it": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do()
                async def take():
                    return event.payload.tags.pop()  # <-- here

                return [await take(), await take()]
    """,
    "run hands it to a function that changes it": """
        def clean(payload):
            payload["name"] = payload["name"].strip()  # <-- here

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                clean(event["payload"])
                return event["payload"]["name"]
    """,
    "run hands it to a method that hands it to another one": """
        class Tags:
            @staticmethod
            def sort(tags):
                tags.sort()  # <-- here

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                await self.clean(step, parts=event)
                await step.sleep("a moment", 1)

            async def clean(self, step, *, parts):
                tags = parts["payload"]["tags"]
                Tags.sort(tags)
    """,
    "run hands it to a function of its own": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                def clean(payload):
                    payload["name"] = "Ada"  # <-- here

                clean(event["payload"])
                await step.sleep("a moment", 1)
    """,
    "a step hands it to a method": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do()
                async def clean():
                    self.clean(event)

                await clean()

            def clean(self, event):
                del event["payload"]["name"]  # <-- here
    """,
    "a method that has it in self": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                self.payload = event["payload"]
                self.clean()
                await step.sleep("a moment", 1)

            def clean(self):
                self.payload["name"] = "Ada"  # <-- here
    """,
    "a step of the module in a way that cannot be followed": """
        PARTS = []

        def clean():
            payload = {}
            payload["name"] = "Ada"
            for part in PARTS:
                part.update(payload)

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                payload = event["payload"]
                PARTS.append(payload)
                await step.do("clean")(clean)()  # <-- here
    """,
    "run in a way that cannot be followed, before a step": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.sleep("a moment", 1)
                for part in [event["payload"]]:
                    part["name"] = "Ada"
                await step.sleep("another moment", 1)  # <-- here
                await step.sleep("a third moment", 1)
    """,
    "run in a way that cannot be followed, before a step of a method": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                for part in [event["payload"]]:
                    part["name"] = "Ada"
                await self.rest(step)  # <-- here

            async def rest(self, step):
                await step.sleep("a moment", 1)
    """,
    "run in a way that cannot be followed, at its end": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.sleep("a moment", 1)
                for part in [event["payload"]]:
                    part["name"] = "Ada"
                if part is None:
                    return None
                return "done"  # <-- here
    """,
    "a step that is a method": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                self.payload = event["payload"]
                await step.do("clean")(self.clean)()

            async def clean(self):
                self.payload["name"] = "Ada"  # <-- here
    """,
    "run adds a key at its end": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.sleep("a moment", 1)
                event["status"] = "done"  # <-- here
    """,
}
GOOD = {
    "a copy": """
        import copy

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                payload = copy.deepcopy(event["payload"])
                payload["name"] = payload["name"].strip()
                payload["tags"].sort()
                return payload["name"]
    """,
    "a new dict": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                order = {**event["payload"], "status": "new"}
                order["status"] = "old"
                tags = sorted(event["payload"]["tags"])
                tags.append("c")
                return order
    """,
    "what a step returned": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do()
                async def look_up():
                    return event["payload"]

                payload = await look_up()
                payload["name"] = "Ada"
                return payload
    """,
    "reading": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                event["payload"].get("none")
                return [event.payload.name, *event["payload"]["tags"], len(event)]
    """,
}
PAYLOAD = {"name": " Ada ", "tags": ["b", "a"]}


@pytest.mark.parametrize("source", BAD.values(), ids=BAD)
async def test_a_change_of_the_event_is_found(bench: Any, source: str) -> None:
    found = await bench.findings(source, PAYLOAD)

    assert sorted({(finding.rule, finding.line) for finding in found}) == bench.marked(source, "changed-event")


async def test_an_event_that_holds_bytes_is_looked_at_as_well(bench: Any) -> None:
    source = BAD["run sets a key"]

    found = await bench.findings(source, {**PAYLOAD, "data": b"abc"})

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(source, "changed-event")


@pytest.mark.parametrize("source", GOOD.values(), ids=GOOD)
async def test_reading_and_copying_it_is_not(bench: Any, source: str) -> None:
    assert await bench.findings(source, PAYLOAD) == []


async def test_the_finding_names_who_changed_it(bench: Any) -> None:
    [by_step] = await bench.findings(BAD["a step adds to it"], PAYLOAD)

    assert (by_step.message, by_step.step) == ("step 'look_up-1' changed the event", "look_up-1")


@pytest.mark.parametrize("name", ["a step that is a method", "a step hands it to a method"])
async def test_a_step_is_named_for_what_it_calls(bench: Any, name: str) -> None:
    [by_step] = await bench.findings(BAD[name], PAYLOAD)

    assert (by_step.message, by_step.step) == ("step 'clean-1' changed the event", "clean-1")


async def test_run_itself_has_no_step(bench: Any) -> None:
    [by_run] = await bench.findings(BAD["run sets a key"], PAYLOAD)

    assert (by_run.message, by_run.step) == ("`run` changed the event", None)
