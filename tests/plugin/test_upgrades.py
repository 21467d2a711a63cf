"""`--workflows-upgrade-from`: instances that an older source began go on with today's, at every fault point."""

import json
import re
import textwrap

HEAD = """
import asyncio
from workers import WorkflowEntrypoint


async def do(step, name, function, **options):
    return await step.do(name, **options)(function)()
"""
STEPS = {
    "charge": 'c = await do(step, "charge", self.charge)',
    "pay": 'c = await do(step, "pay", self.charge)',
    "sleep": 'await step.sleep("cool down", "3 days")',
    "sleep 5": 'await step.sleep("cool down", "5 days")',
    "sleep again": 'await step.sleep("rest", "1 day")',
    "ship": 's = await do(step, "ship", self.ship)',
    "retried": 's = await do(step, "ship", self.ship, config={"retries": {"limit": 9, "delay": 5}})',
    "check": 'await do(step, "check", self.other)',
    "notify": 'await do(step, "notify", self.other)',
    "wait": 'await step.wait_for_event("approval", "approve")',
    "wait again": 'await step.wait_for_event("consent", "approve")',
    "both": 'c, s = await asyncio.gather(do(step, "charge", self.charge), do(step, "ship", self.ship))',
    "three": 'c, s, _ = await asyncio.gather(do(step, "charge", self.charge), do(step, "ship", self.ship), '
    'do(step, "check", self.other))',
    "old branch": 'c = await do(step, "pay" if event["payload"].get("version") else "charge", self.charge)',
    "end": 'return [c["id"], s]',
}
CLASS = """
class {name}(WorkflowEntrypoint):
    async def run(self, event, step):
        {run}

    def charge(self):
        {charge}

    def ship(self):
        return "shipped"

    def other(self):
        return None
"""
CHARGE = 'return {"id": "ch_1"}'
SEQUENCE = ["charge", "sleep", "ship", "end"]
WAITING = ["charge", "wait", "ship", "end"]
CHANGES = {
    # name: the older source, today's, and the callback `charge` of either, where it is another one
    "Same": (SEQUENCE, SEQUENCE),
    "AddedAtTheEnd": (SEQUENCE, [*SEQUENCE[:-1], "notify", "sleep again", "end"]),
    "OtherRetries": (SEQUENCE, ["charge", "sleep", "retried", "end"]),
    "OtherCallback": (SEQUENCE, SEQUENCE, CHARGE, 'return {"id": "ch_1", "currency": "EUR"}'),
    "OtherResult": (SEQUENCE, SEQUENCE, CHARGE, 'return {"id": "ch_2"}'),
    "OneMoreAtATime": (["both", "sleep", "end"], ["three", "sleep", "end"]),
    "SleepBeforeAStep": (SEQUENCE, ["charge", "sleep again", "sleep", "ship", "end"]),
    "BranchByVersion": (SEQUENCE, ["old branch", "sleep", "ship", "end"]),
    "Renamed": (SEQUENCE, ["pay", "sleep", "ship", "end"]),
    "Reordered": (SEQUENCE, ["ship", "sleep", "charge", "end"]),
    "PutInBetween": (SEQUENCE, ["charge", "check", "sleep", "ship", "end"]),
    "OtherSleep": (SEQUENCE, ["charge", "sleep 5", "ship", "end"]),
    "Removed": (["charge", "check", "sleep", "ship", "end"], SEQUENCE),
    "OtherShape": (SEQUENCE, SEQUENCE, 'return {"receipt": "ch_1"}', CHARGE),
    "RenamedWait": (WAITING, ["charge", "wait again", "ship", "end"]),
}
RED = {
    "SleepBeforeAStep": 3,
    "Renamed": 7,
    "Reordered": 7,
    "PutInBetween": 3,
    "OtherSleep": 5,
    "Removed": 7,
    "OtherShape": 6,
    "RenamedWait": 5,
}
TESTS = """
import pytest
from pytest_workflows import introspect_workflow_instance


@pytest.mark.parametrize("name", {names})
async def test_it(workflow_env, name):
    binding = getattr(workflow_env, name)
    async with introspect_workflow_instance(binding, "a") as instance:
        handle = await binding.create({{"id": "a"}})
        if name == "RenamedWait":
            await instance.wait_for_step_result("charge")
            await handle.send_event({{"type": "approve"}})
        await instance.wait_for_status("complete")
"""


def source(which):
    made = [textwrap.dedent(HEAD)]
    for name, change in CHANGES.items():
        old, today, *callbacks = change
        steps = (old, today)[which]
        if name == "OtherShape" and which == 0:
            steps = [step if step != "end" else "end old" for step in steps]
        run = "\n        ".join({**STEPS, "end old": 'return [c["receipt"], s]'}[step] for step in steps)
        made.append(CLASS.format(name=name, run=run, charge=callbacks[which] if callbacks else CHARGE))
    return "\n".join(made)


def config(names):
    return json.dumps(
        {
            "name": "shop",
            "main": "src/entry.py",
            "compatibility_date": "2026-11-10",
            "workflows": [{"binding": name, "name": name.lower(), "class_name": name} for name in names],
        }
    )


def write(worker, old, today, names):
    for folder, text in (("old/", old), ("", today)):
        worker.write(f"{folder}wrangler.jsonc", config(names))
        worker.write(f"{folder}src/entry.py", text)


def red_points(result):
    found = [re.match(r"_+ test_it\[(\w+)\]\[upgrade: (.*)\] _+$", line) for line in result.outlines]
    return [(one[1], one[2]) for one in found if one]


def test_safe_changes_are_green_at_every_point_and_others_red_from_the_first_point_that_they_hurt(worker):
    write(worker, source(0), source(1), CHANGES)

    result = worker.run(TESTS.format(names=list(CHANGES)), "--workflows-upgrade-from=old", "-rf", "-W", "ignore")

    found = red_points(result)
    assert {name: sum(one == name for one, _ in found) for name, _ in found} == RED
    assert ("Renamed", 'before "charge"') not in found
    assert ("Renamed", 'stored result of "charge"') in found
