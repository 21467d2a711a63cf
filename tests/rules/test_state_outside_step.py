"""state-outside-step: a callback changes a variable of the code around it, or an attribute of `self`."""

from typing import Any

import pytest

BAD = {
    "a nonlocal variable that later steps read": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                report_id = None

                @step.do("create the report")
                async def create():
                    nonlocal report_id
                    report_id = "r-1"  # <-- here

                @step.do("finalize the report")
                async def finalize():
                    return f"{report_id} is final"

                await create()
                return await finalize()
    """,
    "a list that steps append to": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                done = []
                for name in ("a", "b"):

                    @step.do(f"upload {name}")
                    async def upload():
                        done.append(name)  # <-- here

                    await upload()
                return done
    """,
    "a dict inside of a dict": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                state = {"counts": {"files": 0}}

                @step.do()
                async def count():
                    state["counts"]["files"] += 1  # <-- here

                await count()
                return state
    """,
    "a dict that holds a service as well": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                state = {"service": object(), "id": None}

                @step.do()
                async def create():
                    state["id"] = "r-1"  # <-- here

                await create()
                return state["id"]
    """,
    "a counter": """
        from collections import Counter

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                counts = Counter()

                @step.do()
                async def count():
                    counts["files"] += 1  # <-- here

                await count()
                return counts["files"]
    """,
    "a defaultdict": """
        from collections import defaultdict

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                found = defaultdict(list)

                @step.do()
                async def look():
                    found["files"].append(1)  # <-- here

                await look()
                return found["files"]
    """,
    "an attribute of self": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do()
                def count():
                    self.files = 3  # <-- here

                await count()
                return self.files
    """,
    "an attribute of self that __init__ made": """
        class Report(WorkflowEntrypoint):
            def __init__(self, ctx, env):
                super().__init__(ctx, env)
                self.log = []

            async def run(self, event, step):
                @step.do("first")
                async def first():
                    self.note("first")

                await first()
                return self.log

            def note(self, text):
                self.log.append(text)  # <-- here
    """,
    "a step that is a method": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.do("count")(self.count)()
                return self.files

            async def count(self):
                self.files = 3  # <-- here
    """,
    "a helper in run that the callback calls": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                seen = set()

                def note(name):
                    seen.add(name)  # <-- here

                @step.do()
                async def look():
                    note("a")

                await look()
                return sorted(seen)
    """,
    "a step in another method": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                uploads = []
                await self.upload(step, uploads)
                return uploads

            async def upload(self, step, uploads):
                @step.do()
                async def upload():
                    uploads.append("a")  # <-- here

                await upload()
    """,
    "a function of the source that is handed the variable": """
        def fill(rows):
            rows.append(1)

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                rows = []

                @step.do()  # <-- here
                async def read():
                    fill(rows)

                await read()
                return rows
    """,
    "steps at the same time": """
        import asyncio

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                pages = {}

                def fetch(page):
                    @step.do(f"fetch {page}")
                    async def fetch():
                        await asyncio.sleep(0)
                        pages[page] = "text"  # <-- here

                    return fetch()

                await asyncio.gather(fetch(1), fetch(2))
                return pages
    """,
    "the result of an earlier step": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do()
                async def create():
                    return {"id": 1}

                report = await create()

                @step.do()
                async def check():
                    report["checked"] = True  # <-- here

                await check()
                return report
    """,
    "a change in a step that fails": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                attempts = 0

                @step.do(config={"retries": {"limit": 1, "delay": 1}})
                async def flaky(ctx):
                    nonlocal attempts
                    attempts += 1  # <-- here
                    if attempts == 1:
                        raise OSError("no answer")

                await flaky()
    """,
    "a step within a step": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                total = 0

                @step.do()
                async def outer():
                    @step.do()
                    async def inner():
                        nonlocal total
                        total = 5  # <-- here

                    await inner()

                await outer()
                return total
    """,
    "a value that is made when it is missing, and read outside": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                token = None

                @step.do()
                async def login():
                    nonlocal token
                    if token is None:
                        token = "secret"  # <-- here

                await login()
                return token
    """,
}
GOOD = {
    "what later steps need is returned": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("create the report")
                async def create():
                    return "r-1"

                report_id = await create()

                @step.do("finalize the report")
                async def finalize():
                    return f"{report_id} is final"

                return await finalize()
    """,
    "a callback's own variables": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do()
                async def count():
                    rows = []
                    total = 0

                    def add(value):
                        nonlocal total
                        total += value
                        rows.append(value)

                    add(1)
                    return total

                return await count()
    """,
    "run collects the results": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                done = []
                for name in event["payload"]["names"]:

                    @step.do(f"upload {name}")
                    async def upload():
                        return name

                    done.append(await upload())
                self.done = done
                return done
    """,
    "run changes what steps at the same time can see": """
        import asyncio

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                done = []

                def upload(name):
                    @step.do(f"upload {name}")
                    async def upload():
                        await asyncio.sleep(0)
                        await asyncio.sleep(0)
                        return f"{name} of {len(done)}"

                    return upload()

                for upload in asyncio.as_completed([upload("a"), upload("b"), upload("c")]):
                    done.append(await upload)
                return done
    """,
    "run goes on while a step runs": """
        import asyncio

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                state = {"n": 0}

                @step.do()
                async def look():
                    await step.sleep("a moment", "1 minute")
                    return state["n"]

                task = asyncio.create_task(look())
                await asyncio.sleep(0)
                await step.sleep("less", "1 second")
                state["n"] = 1
                return await task
    """,
    "a module's variable, which the rule leaves alone": """
        CACHE = {}

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                cache = CACHE

                @step.do()
                async def look():
                    cache["a"] = 1
                    return 1

                return await look()
    """,
    "a token that a helper keeps for the next call": """
        class Report(WorkflowEntrypoint):
            _token = None

            async def run(self, event, step):
                @step.do()
                async def call():
                    return await self.token()

                return await call()

            async def token(self):
                if self._token is None:
                    self._token = "secret"
                return self._token
    """,
    "a client that is made when it is first used": """
        from functools import cached_property

        class Report(WorkflowEntrypoint):
            @cached_property
            def client(self):
                return object()

            async def run(self, event, step):
                @step.do()
                async def call():
                    return bool(self.client)

                return await call()
    """,
    "a copy that a callback changes": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                names = ["b", "a"]

                @step.do()
                async def order():
                    mine = list(names)
                    mine.sort()
                    return mine

                return await order()
    """,
    "an input that a callback changes": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do()
                async def create():
                    return {"id": 1}

                @step.do()
                async def check(create):
                    create["checked"] = True
                    return create

                return await check()
    """,
    "an equal value in the place of another": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                retries = 0

                @step.do()
                async def look():
                    nonlocal retries
                    retries = 0
                    return 1

                return await look()
    """,
}


@pytest.mark.parametrize("source", BAD.values(), ids=BAD)
async def test_state_outside_of_steps_is_found(bench: Any, source: str) -> None:
    found = await bench.findings(source)

    assert sorted({(finding.rule, finding.line) for finding in found}) == bench.marked(source, "state-outside-step")


@pytest.mark.parametrize("source", GOOD.values(), ids=GOOD)
async def test_steps_that_only_return_are_not(bench: Any, source: str) -> None:
    assert await bench.findings(source, {"names": ["a", "b"]}) == []


async def test_the_finding_names_the_step_and_the_variable(bench: Any) -> None:
    [finding] = await bench.findings(BAD["a nonlocal variable that later steps read"])

    assert finding.step == "create the report-1"
    assert finding.message == "step 'create the report-1' assigned to `report_id`, a variable outside of it"


async def test_what_hangs_on_the_test_is_left_out(bench: Any) -> None:
    class Database:
        def __init__(self) -> None:
            self.rows: list[int] = []
            self.calls: list[Any] = []

        async def save(self, row: dict[str, int]) -> None:
            self.calls.append(row)
            row["id"] = len(self.calls)

    found = await bench.findings(
        """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                rows, row = self.env.DB.rows, {"name": "a"}

                @step.do()
                async def save():
                    rows.append(1)
                    await self.env.DB.save(row)

                await save()
        """,
        env={"DB": Database()},
    )

    assert found == []


async def test_a_variable_that_a_fake_gets_is_still_the_workflows(bench: Any) -> None:
    class Database:
        def __init__(self) -> None:
            self.saved: list[Any] = []

        async def save(self, rows: list[int]) -> None:
            self.saved.append(rows)

    [finding] = await bench.findings(
        """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                rows = []

                @step.do()
                async def save():
                    rows.append(1)
                    await self.env.DB.save(rows)

                await save()
        """,
        env={"DB": Database()},
    )

    assert finding.line == 9


async def test_the_variables_of_a_test_around_its_workflow_are_left_out(bench: Any) -> None:
    found = await bench.findings(
        """
        def make():
            calls = []

            class Inner:
                async def run(self, event, step):
                    @step.do()
                    async def call():
                        calls.append(1)

                    await call()

            return Inner

        class Report(WorkflowEntrypoint):
            run = make().run
        """
    )

    assert found == []
