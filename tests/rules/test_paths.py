"""changed-path, unstable-step-name, race-outside-step: a replay asks for other steps than the run did."""

from collections.abc import Iterator

import pytest

from pytest_workflows.introspection.freeze import Freezer
from tests.rules.exploring_bench import Case, explored, run


@pytest.fixture
def freezer() -> Iterator[Freezer]:
    freezer = Freezer()
    yield freezer
    freezer.stop()


CHANGED_PATH = {
    "a module's state decides": Case("""
        runs = []

        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                runs.append(1)
                await step.do("first")(lambda: 1)()
                if len(runs) == 1:
                    await step.do("only in the first life")(lambda: 2)()
                await step.do("last")(lambda: 3)()  # <-- here
    """),
    "a time outside of a step decides": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                began = datetime.datetime.now()
                await step.do("first")(lambda: 1)()
                if began.hour == 0:
                    await step.sleep("until the morning", "6 hours")
                await step.do("last")(lambda: 3)()  # <-- here
    """),
    "chance decides": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                if random.random() < 0.7:
                    await step.sleep("a while", "1 hour")
                await step.do("last")(lambda: 3)()  # <-- here
    """),
    "how often a service was asked outside of a step decides": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                if await self.env["SERVICE"].ask() == 1:
                    await step.do("first")(lambda: 1)()
                else:
                    await step.do("second")(lambda: 2)()  # <-- here
    """),
    "steps in another order": Case("""
        orders = iter([["a", "b"], ["b", "a"]])

        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                names = {"a": step.do("a")(lambda: 1), "b": step.do("b")(lambda: 2)}  # <-- here
                for name in next(orders):
                    await names[name]()
    """),
    "fewer rounds of a loop": Case("""
        runs = []

        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                runs.append(1)
                for _ in range(3 if len(runs) == 1 else 2):
                    await step.do("round")(lambda: 1)()  # <-- here
    """),
    "more rounds of a loop": Case("""
        runs = []

        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                runs.append(1)
                for _ in range(1 + len(runs)):
                    await step.sleep("round", "1 minute")  # <-- here
    """),
    "another kind of step": Case("""
        runs = []

        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                runs.append(1)
                if len(runs) == 1:
                    await step.sleep("pause", "1 minute")
                else:
                    await step.do("pause")(lambda: 1)()  # <-- here
    """),
    "a branch beside run goes another way": Case("""
        runs = []

        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                runs.append(1)

                async def branch():
                    await step.do("first")(lambda: 1)()
                    if len(runs) == 1:
                        await step.do("in the first life")(lambda: 2)()
                    else:
                        await step.do("in a later life")(lambda: 3)()  # <-- here

                await asyncio.gather(branch(), step.do("other")(lambda: 4)())
    """),
    "an exception that only the first life has": Case("""
        runs = []

        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                runs.append(1)
                try:
                    await step.do("first")(lambda: 1)()
                    if len(runs) == 1:
                        raise ValueError("no")
                except ValueError:
                    await step.do("mend it")(lambda: 2)()  # <-- here
    """),
}
UNSTABLE_NAME = {
    "a random number in the name": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.do(f"charge {random.random()}")(lambda: 1)()  # <-- here
    """),
    "an id in the name": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.do("first")(lambda: 1)()

                @step.do(f"charge {uuid.uuid4()}")  # <-- here
                async def charge():
                    return 1

                await charge()
    """),
    "a time in the name": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.sleep(f"since {datetime.datetime.now():%H:%M}", "1 hour")  # <-- here
    """),
    "an epoch in the name of a wait": Case(
        """
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.wait_for_event(f"since {int(time.time())}", "go")  # <-- here
    """,
        ["go"],
    ),
    "in branches beside run": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                async def one(number):
                    @step.do(f"{number} {random.random()}")  # <-- here
                    async def work():
                        return number

                    return await work()

                await asyncio.gather(one(1), one(2))
    """),
    "after a step in a branch": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                async def one(number):
                    await step.do(f"first {number}")(lambda: 1)()
                    await step.do(f"then {random.random()}")(lambda: 1)()  # <-- here

                async with asyncio.TaskGroup() as group:
                    group.create_task(one(1))
                    group.create_task(one(2))
    """),
    "an object's address in the name": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                kept = object()
                everything.append(kept)
                await step.do(f"use {kept}")(lambda: 1)()  # <-- here

        everything = []
    """),
}
RACE = {
    "the first of two waits": Case(
        """
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                card = asyncio.create_task(step.wait_for_event("card", "card"))
                bank = asyncio.create_task(step.wait_for_event("bank", "bank"))
                done, _ = await asyncio.wait({card, bank}, return_when=asyncio.FIRST_COMPLETED)
                if bank in done:
                    await step.do("thank the bank")(lambda: 1)()
                else:
                    await step.do("thank the card company")(lambda: 2)()  # <-- here
                await asyncio.wait({card, bank})
    """,
        ["bank", "card"],
    ),
    "as_completed": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                async def one(name, minutes):
                    await step.sleep(f"nap {name}", f"{minutes} minutes")
                    return name

                for first in asyncio.as_completed([one("a", 3), one("b", 1)]):
                    await step.do(f"take {await first}")(lambda: 1)()  # <-- here
    """),
    "a step against a timeout": Case(
        """
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                nap = asyncio.ensure_future(step.sleep("too long", "10 minutes"))
                wait = asyncio.create_task(step.wait_for_event("answer", "answer"))
                await asyncio.wait({nap, wait}, return_when=asyncio.FIRST_COMPLETED)
                if not wait.done():
                    await step.do("remind")(lambda: 1)()
                await wait
                await step.do("go on")(lambda: 2)()  # <-- here
    """,
        ["nothing"] * 11 + ["answer"],
    ),
    "the order in which branches append to a list": Case(
        """
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                order = []

                async def one(name):
                    await step.wait_for_event(name, name)
                    order.append(name)

                await asyncio.gather(one("a"), one("b"))
                for name in order:
                    await step.do(f"take {name}")(lambda: 1)()  # <-- here
    """,
        ["b", "a"],
    ),
    "an event against a sleep that does not end any more": Case(
        """
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                paid = asyncio.ensure_future(step.wait_for_event("payment", "paid"))
                late = asyncio.ensure_future(step.sleep("an hour", "1 hour"))
                await asyncio.wait({paid, late}, return_when=asyncio.FIRST_COMPLETED)
                if late.done():
                    await step.do("cancel the order")(lambda: 1)()  # <-- here
                else:
                    await step.do("ship")(lambda: 2)()
    """,
        ["paid"],
    ),
    "a sleep against an event that does not come any more": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                paid = asyncio.ensure_future(step.wait_for_event("payment", "paid"))
                late = asyncio.ensure_future(step.sleep("an hour", "1 hour"))
                await asyncio.wait({paid, late}, return_when=asyncio.FIRST_COMPLETED)
                if paid.done():
                    await step.do("ship")(lambda: 2)()  # <-- here
                else:
                    await step.do("cancel the order")(lambda: 1)()
    """),
    "the shorter of two sleeps": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                short = asyncio.ensure_future(step.sleep("short", "1 hour"))
                long = asyncio.ensure_future(step.sleep("long", "2 hours"))
                await asyncio.wait({short, long}, return_when=asyncio.FIRST_COMPLETED)
                name = "long" if long.done() else "short"
                await step.do(f"after the {name} one")(lambda: 1)()  # <-- here
    """),
    "a quick step against a slow one that is left behind": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do()
                async def quick():
                    return 1

                @step.do()
                async def slow():
                    await step.sleep("a day", "1 day")
                    return 2

                tasks = asyncio.ensure_future(quick()), asyncio.ensure_future(slow())
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                if tasks[1].done():
                    await step.do("after the slow one")(lambda: 1)()  # <-- here
                else:
                    await step.do("after the quick one")(lambda: 1)()
    """),
}
GOOD = {
    "a branch beside run that is left behind": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                async def beside():
                    await step.sleep("a week", "7 days")
                    await step.do("say so")(lambda: 1)()

                task = asyncio.create_task(beside())
                await step.do("work")(lambda: 2)()
                await step.do("more work")(lambda: 2)()
                return task.done()
    """),
    "a branch that fails while others still sleep": Case(
        """
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                async def sleeps():
                    await step.sleep("a week", "7 days")
                    await step.do("say so")(lambda: 1)()

                await step.do("work")(lambda: 2)()
                await asyncio.gather(sleeps(), step.do("fails", config={"retries": {"limit": 0, "delay": 0}})(lambda: 1 / 0)())
    """,
        status="errored",
    ),
    "a race that is decided inside a step and whose loser is left behind": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                short = asyncio.ensure_future(step.sleep("short", "1 hour"))
                paid = asyncio.ensure_future(step.wait_for_event("payment", "paid"))
                await asyncio.wait({short, paid}, return_when=asyncio.FIRST_COMPLETED)
                first = await step.do("who was it")(lambda: "short" if short.done() else "paid")()
                await step.do(f"after {first}")(lambda: 1)()
    """),
    "a race whose loser's value decides": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                paid = asyncio.ensure_future(step.wait_for_event("payment", "paid"))
                short = asyncio.ensure_future(step.sleep("short", "1 hour"))
                done, _ = await asyncio.wait({short, paid}, return_when=asyncio.FIRST_COMPLETED)
                if paid in done and paid.result()["payload"]["amount"] > 3:
                    await step.do("thank")(lambda: 1)()
                await step.do("go on")(lambda: 1)()
    """),
    "a run that polls for its own step": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                task = asyncio.ensure_future(step.do("a")(lambda: 1)())
                while not task.done():
                    await asyncio.sleep(0)
                await step.do("b")(lambda: 1)()
    """),
    "steps one after the other": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                for id in event["payload"]["ids"]:
                    await step.do(f"take {id}")(lambda: 1)()
                    await step.sleep(f"nap {id}", "1 minute")
    """),
    "a step's result decides": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("ask")
                async def ask():
                    return await self.env["SERVICE"].ask() % 2

                if await ask():
                    await step.do("odd")(lambda: 1)()
                else:
                    await step.do("even")(lambda: 2)()
    """),
    "time and chance inside steps": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                now = await step.do("now")(lambda: time.time())()
                key = await step.do("key")(lambda: random.randrange(10**9))()
                await step.do(f"use {key} at {now}")(lambda: 1)()
    """),
    "random values that decide nothing": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                key = str(uuid.uuid4())
                began = time.time()
                await step.do("first")(lambda: key)()
                return began
    """),
    "gather, and steps after steps in branches": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                async def one(id):
                    await step.do(f"first {id}")(lambda: 1)()
                    await step.sleep(f"nap {id}", f"{len(id) + ord(id) % 3} minutes")
                    return await step.do(f"then {id}")(lambda: id)()

                done = await asyncio.gather(*[one(id) for id in event["payload"]["ids"]])
                await step.do("all")(lambda: done)()
    """),
    "the same names in several branches": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                async def one(id):
                    await step.do("first")(lambda: 1)()
                    await step.sleep("nap", f"{ord(id) % 3} minutes")
                    await step.do("then")(lambda: id)()

                await asyncio.gather(*[one(id) for id in event["payload"]["ids"]])
    """),
    "the same first step before different ones in several branches": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                async def one(id):
                    await step.sleep("nap", f"{ord(id) % 3} minutes")
                    await step.do(f"take {id}")(lambda: id)()

                await asyncio.gather(*[one(id) for id in event["payload"]["ids"]])
    """),
    "a task group": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(step.do(f"take {id}")(lambda: id)()) for id in "abc"]
                await step.do("all")(lambda: [task.result() for task in tasks])()
    """),
    "dependencies that two steps share": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do()
                async def text():
                    return "t"

                @step.do()
                async def words(text):
                    return 1

                @step.do()
                async def lines(text):
                    return 2

                @step.do(concurrent=True)
                async def counts(lines, words, text):
                    return [lines, words]

                await asyncio.gather(lines(), words())
                await counts()
    """),
    "a dependency that run or a branch is the first to ask for": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do()
                async def text():
                    return "t"

                @step.do()
                async def words(text):
                    return 1

                counting = asyncio.create_task(words())
                await step.do("something else")(lambda: 1)()
                await text()
                await counting
    """),
    "a race that is decided inside a step": Case(
        """
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                card = asyncio.create_task(step.wait_for_event("card", "card"))
                bank = asyncio.create_task(step.wait_for_event("bank", "bank"))
                await asyncio.wait({card, bank}, return_when=asyncio.FIRST_COMPLETED)
                first = await step.do("who was it")(lambda: "card" if card.done() else "bank")()
                await step.do(f"thank {first}")(lambda: 1)()
                await asyncio.wait({card, bank})
    """,
        ["bank", "card"],
    ),
    "a race of which only the result is used": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                async def one(name, minutes):
                    await step.sleep(f"nap {name}", f"{minutes} minutes")
                    return name

                done, _ = await asyncio.wait(
                    [asyncio.ensure_future(one("a", 3)), asyncio.ensure_future(one("b", 1))],
                    return_when=asyncio.FIRST_COMPLETED,
                )
                await step.do("go on")(lambda: 1)()
                return [task.result() for task in done]
    """),
    "as_completed into a list that is sorted": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                naps = [step.sleep(f"nap {n}", f"{5 - n} minutes") for n in range(3)]
                values = [step.do(f"do {n}")((lambda n: lambda: n)(n))() for n in range(3)]
                got = sorted([await value for value in asyncio.as_completed(values)])
                await asyncio.gather(*naps)
                for value in got:
                    await step.do(f"take {value}")(lambda: 1)()
    """),
    "wait_for around a wait, in time": Case(
        """
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                await asyncio.wait_for(step.wait_for_event("answer", "answer"), 3600)
                await step.do("go on")(lambda: 1)()
    """,
        ["answer"],
    ),
    "wait_for around a step": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                async with asyncio.timeout(3600):
                    await step.sleep("nap", "10 minutes")
                await asyncio.wait_for(step.do("go on")(lambda: 1)(), 60)
    """),
    "a wait that times out": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                try:
                    await step.wait_for_event("answer", "answer", timeout="1 hour")
                except Exception:
                    await step.do("give up")(lambda: 1)()
    """),
    "retries": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("fragile", config={"retries": {"limit": 3, "delay": "1 minute"}})
                async def fragile(ctx):
                    if ctx.attempt < 3:
                        raise OSError("busy")

                await fragile()
                await step.do("go on")(lambda: 1)()
    """),
    "a failure for good that is caught": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("broken", config={"retries": {"limit": 1, "delay": 1}})
                async def broken():
                    raise ValueError("no")

                try:
                    await broken()
                except ValueError:
                    await step.do("mend")(lambda: 1)()
    """),
    "a failure for good that ends it, with branches under way": Case(
        """
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("broken", config={"retries": {"limit": 0, "delay": 1}})
                async def broken():
                    raise ValueError("no")

                async def one(id):
                    await step.do(f"first {id}")(lambda: 1)()
                    await step.do(f"then {id}")(lambda: 1)()
                    await step.sleep(f"nap {id}", "1 hour")

                await asyncio.gather(one("x"), one("y"), broken())
    """,
        status="errored",
    ),
    "a graph of steps of which one fails": Case(
        """
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                def graph(id):
                    @step.do(f"text {id}")
                    async def text():
                        return id

                    async def check():
                        await text()
                        @step.do(f"check {id}", config={"retries": {"limit": 0, "delay": 1}})
                        async def checked():
                            if id == "x":
                                raise ValueError("no")
                        await checked()
                        await step.do(f"keep {id}")(lambda: 1)()

                    return check()

                await asyncio.gather(*[graph(id) for id in event["payload"]["ids"]])
    """,
        status="errored",
    ),
    "gather that returns exceptions": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("broken", config={"retries": {"limit": 0, "delay": 1}})
                async def broken():
                    raise ValueError("no")

                await asyncio.gather(broken(), step.do("fine")(lambda: 1)(), return_exceptions=True)
                await step.do("go on")(lambda: 1)()
    """),
    "steps in steps": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("outer")
                async def outer():
                    await step.sleep("inner nap", "1 minute")
                    return await step.do("inner")(lambda: random.random())()

                await outer()
                await step.do("go on")(lambda: 1)()
    """),
    "a sleep that nobody awaits": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                step.sleep("in the background", "1 hour")
                await step.do("first")(lambda: 1)()
                await step.sleep("nap", "5 minutes")
                await step.do("last")(lambda: 1)()
    """),
    "tasks that are cancelled": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                async def tick():
                    for n in range(100):
                        await step.sleep(f"tick {n}", "1 minute")
                        await step.do(f"tock {n}")(lambda: 1)()

                ticking = asyncio.create_task(tick())
                await step.sleep("five minutes", "5 minutes")
                ticking.cancel()
                await step.do("go on")(lambda: 1)()
    """),
    "a set of names, sorted": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                for id in sorted({*event["payload"]["ids"], "w"}):
                    await step.do(f"take {id}")(lambda: 1)()
    """),
    "an event's time and id in the name": Case(
        """
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.do(f"{event['instanceId']} {event['timestamp']:%H:%M}")(lambda: 1)()
                went = await step.wait_for_event("go", "go")
                await step.do(f"at {went['timestamp']}")(lambda: 1)()
    """,
        ["go"],
    ),
    "wait for all, whatever comes first": Case(
        """
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                pending = {asyncio.create_task(step.wait_for_event(name, name)) for name in ("a", "b", "c")}
                while pending:
                    _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                await step.do("all")(lambda: 1)()
    """,
        ["b", "c", "a"],
    ),
    "a loop until a step says so": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("look")
                async def look(ctx):
                    return ctx.step.count

                while await look() < 4:
                    await step.sleep("a moment", "20 minutes")
    """),
    "a lock around steps of branches": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                lock = asyncio.Semaphore(2)

                async def one(id):
                    async with lock:
                        await step.do(f"take {id}")(lambda: id)()
                        await step.sleep(f"nap {id}", f"{ord(id) % 3} minutes")

                await asyncio.gather(*[one(id) for id in "abcde"])
    """),
    "producers and a consumer": Case("""
        class W(WorkflowEntrypoint):
            async def run(self, event, step):
                queue = asyncio.Queue()

                async def produce(id):
                    queue.put_nowait(await step.do(f"make {id}")(lambda: id)())

                async with asyncio.TaskGroup() as group:
                    for id in "abc":
                        group.create_task(produce(id))
                got = sorted(queue.get_nowait() for _ in range(3))
                await step.do("use")(lambda: got)()
    """),
}


@pytest.mark.parametrize("case", CHANGED_PATH.values(), ids=CHANGED_PATH)
async def test_a_path_that_changes_is_found_in_an_ordinary_run(case: Case, freezer: Freezer) -> None:
    found, _ = await run(case, freezer)

    assert {finding.rule for finding in found} == {"changed-path"}
    assert {finding.line for finding in found} <= case.marked


@pytest.mark.parametrize("case", UNSTABLE_NAME.values(), ids=UNSTABLE_NAME)
async def test_a_name_that_differs_between_lives_is_found_in_an_ordinary_run(case: Case, freezer: Freezer) -> None:
    found, _ = await run(case, freezer)

    assert {finding.rule for finding in found} == {"changed-path", "unstable-step-name"}
    assert {finding.line for finding in found} == case.marked


@pytest.mark.parametrize("case", RACE.values(), ids=RACE)
async def test_a_race_that_is_decided_outside_of_steps_is_found_in_an_ordinary_run(
    case: Case, freezer: Freezer
) -> None:
    found, _ = await run(case, freezer)

    assert {finding.rule for finding in found} == {"changed-path", "race-outside-step"}
    assert {finding.line for finding in found} <= case.marked


@pytest.mark.parametrize("case", GOOD.values(), ids=GOOD)
async def test_a_workflow_that_keeps_its_path_is_silent_at_every_point_and_in_every_order(
    case: Case, freezer: Freezer
) -> None:
    assert await explored(case, freezer) == []
