"""What code draws at random: steps and handlers from the test's seed, alike in each run and each attempt."""

import json
import uuid
from typing import Any

import pytest

DRAWS = [
    *("random.random()", "random.randint(1, 10**9)", "random.choice(range(10**9))", "random.gauss(0, 1)"),
    *("secrets.token_hex(8)", "secrets.randbelow(10**9)", "secrets.SystemRandom().random()"),
    *("os.urandom(8).hex()", "random.Random().random()", "str(uuid.uuid4())", "str(uuid.uuid1())"),
]
ENTRY = """
    import os, random, secrets, uuid
    from workers import Response, WorkerEntrypoint, WorkflowEntrypoint

    drawn = []

    def draw():
        values = [{draws}]
        if hasattr(uuid, "uuid7"):
            values += [str(uuid.uuid7()), str(uuid.uuid7())]
        return values

    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("first", config={{"retries": {{"limit": 2, "delay": 0}}}})
            async def first(ctx):
                drawn.append(["first", ctx.attempt, draw()])
                if event.payload.get("fails") and ctx.attempt < 3:
                    raise ValueError("not yet")
                return 1

            @step.do("second")
            async def second():
                drawn.append(["second", 1, draw()])

            await first()
            await second()

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            return Response.json(draw())
"""
TEST = """
    import json, entry, pathlib, random
    from pytest_workflows import introspect_workflow

    async def run(env, **params):
        entry.drawn.clear()
        async with introspect_workflow(env.ORDERS) as orders:
            await env.ORDERS.create({"id": "one", "params": params})
            [order] = orders.get()
            await order.wait_for_status("complete")
        return list(entry.drawn)
"""


@pytest.fixture
def drawing(worker: Any) -> Any:
    worker.write("src/entry.py", ENTRY.format(draws=", ".join(DRAWS)))
    worker.set(pythonpath="src")
    return worker


def test_each_attempt_of_a_step_draws_the_same_and_another_step_something_else(drawing):
    result = drawing.run(
        TEST
        + """
    async def test_it(workflow_env):
        (_, one, first), (_, two, again), (_, three, third), (_, _, second) = await run(workflow_env, fails=True)
        assert (one, two, three) == (1, 2, 3)
        assert first == again == third
        assert not set(map(str, first)) & set(map(str, second))
        assert len(set(map(str, first))) == len(first)
    """
    )

    result.assert_outcomes(passed=1)


def test_two_sessions_draw_alike_and_two_tests_do_not(drawing):
    test = (
        TEST
        + """
    import pytest

    @pytest.mark.workflow(now="2026-01-01T00:00:00Z")
    async def test_one(workflow_env):
        with open("drawn", "a") as file:
            print(json.dumps(await run(workflow_env)), file=file)

    test_two = test_one
    """
    )

    for _ in range(2):
        drawing.run(test).assert_outcomes(passed=2)

    one, two, *again = [json.loads(line) for line in (drawing.path / "drawn").read_text().splitlines()]
    assert [one, two] == again
    assert not set(map(str, one[0][2])) & set(map(str, two[0][2]))


def test_what_came_before_in_the_process_changes_nothing(drawing):
    test = (
        TEST
        + """
    import pytest, random, uuid

    @pytest.mark.workflow(now="2026-01-01T00:00:00Z", seed=7)
    @pytest.mark.parametrize("before", range(2))
    async def test_it(before, workflow_env):
        for _ in range(before):
            random.random(), random.gauss(0, 1), uuid.uuid1(), uuid.uuid4()
        with open("drawn", "a") as file:
            print(json.dumps(await run(workflow_env)), file=file)
    """
    )

    drawing.run(test).assert_outcomes(passed=2)

    one, two = [json.loads(line) for line in (drawing.path / "drawn").read_text().splitlines()]
    timed = DRAWS.index("str(uuid.uuid1())")  # counts on within a test
    assert one[0][2][:timed] == two[0][2][:timed]


def test_a_handler_draws_from_the_tests_seed_and_never_the_same_twice(drawing):
    test = (
        TEST
        + """
    import pytest

    @pytest.mark.workflow(now="2026-01-01T00:00:00Z", seed=7)
    @pytest.mark.parametrize("which", range(2))
    async def test_it(which, workflow_worker):
        drawn = [await (await workflow_worker.fetch("/")).json() for _ in range(2)]
        assert drawn[0] != drawn[1]
        with open("drawn", "a") as file:
            print(json.dumps(drawn), file=file)
    """
    )

    drawing.run(test).assert_outcomes(passed=2)

    one, two = (drawing.path / "drawn").read_text().splitlines()
    assert one == two


def test_a_lost_attempt_and_the_one_after_it_draw_alike_and_so_do_the_runs_of_an_explored_test(drawing):
    test = (
        TEST
        + """
    import uuid, time

    async def test_it(workflow_env, workflow_clock):
        mine = [uuid.uuid4().hex, random.random(), workflow_clock.now.isoformat()]
        await run(workflow_env)
        with open("drawn", "a") as file:
            print(json.dumps([mine, [[step, values] for step, _, values in entry.drawn]]), file=file)
        time.sleep(0.3)
    """
    )

    result = drawing.run(test, "--workflows-crash")

    result.assert_outcomes(passed=1)
    runs = [json.loads(line) for line in (drawing.path / "drawn").read_text().splitlines()]
    assert len(runs) > 4
    assert any(len(steps) > 2 for _, steps in runs)
    plain = dict(map(tuple, runs[0][1]))
    for mine, steps in runs:
        assert mine == runs[0][0]
        assert all(values == plain[step] for step, values in steps)


def test_a_fixture_that_draws_before_there_is_an_engine_draws_alike_in_all_runs_of_an_explored_test(drawing):
    test = (
        TEST
        + """
    import pytest

    @pytest.fixture
    def chance():
        return random.random()

    async def test_it(chance, request):
        with open("drawn", "a") as file:
            print(chance, random.random(), file=file)
        await run(request.getfixturevalue("workflow_env"))
    """
    )

    drawing.run(test, "--workflows-crash").assert_outcomes(passed=1)

    runs = (drawing.path / "drawn").read_text().splitlines()
    assert len(runs) > 4
    assert len(set(runs)) == 1


def test_an_instance_that_is_restarted_or_created_again_draws_other_values(drawing):
    result = drawing.run(
        TEST
        + """
    async def test_it(workflow_env, workflow_engine):
        orders = workflow_env.ORDERS
        order = await orders.create({"id": "one"})
        await workflow_engine.run_until_idle()
        await order.restart()
        await workflow_engine.run_until_idle()
        await orders.deleteBatch(["one"])
        await orders.create({"id": "one"})
        await workflow_engine.run_until_idle()
        draws = [values[0] for step, _, values in entry.drawn if step == "first"]
        assert len(draws) == len(set(draws)) == 3
    """
    )

    result.assert_outcomes(passed=1)


CALLING = """
    import random, uuid
    from workers import DurableObject, Response, WorkflowEntrypoint

    drawn = []

    class Counter(DurableObject):
        async def ticket(self):
            return [str(uuid.uuid4()), random.random()]

    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("first", config={"retries": {"limit": 1, "delay": 0}})
            async def first(ctx):
                counter = self.env.COUNTER.getByName("one")
                drawn.append([await counter.ticket(), await counter.ticket()])
                if ctx.attempt == 1:
                    raise ValueError("not yet")

            @step.do("second")
            async def second():
                drawn.append([await self.env.COUNTER.getByName("one").ticket()])

            await first()
            await second()
"""


def test_what_an_attempt_calls_draws_what_the_same_call_of_another_attempt_draws(worker):
    worker.write(
        "wrangler.jsonc",
        """
        {
          "name": "shop", "main": "src/entry.py", "compatibility_date": "2026-11-10",
          "workflows": [{"binding": "ORDERS", "name": "orders", "class_name": "OrderWorkflow"}],
          "durable_objects": {"bindings": [{"name": "COUNTER", "class_name": "Counter"}]},
          "migrations": [{"tag": "v1", "new_sqlite_classes": ["Counter"]}]
        }
        """,
    )
    worker.write("src/entry.py", CALLING)
    worker.set(pythonpath="src")

    result = worker.run(
        TEST
        + """
    async def test_it(workflow_env):
        first, again, other = await run(workflow_env)
        assert first == again
        assert len({str(ticket) for ticket in [*first, *other]}) == 3
    """
    )

    result.assert_outcomes(passed=1)


def test_what_the_platform_draws_takes_nothing_from_what_a_step_draws(worker):
    worker.write(
        "wrangler.jsonc",
        """
        {
          "name": "shop", "main": "src/entry.py", "compatibility_date": "2026-11-10",
          "workflows": [{"binding": "ORDERS", "name": "orders", "class_name": "OrderWorkflow"}],
          "r2_buckets": [{"binding": "FILES", "bucket_name": "files"}],
          "d1_databases": [{"binding": "DB", "database_id": "1"}]
        }
        """,
    )
    worker.write(
        "src/entry.py",
        """
        import random
        from workers import WorkflowEntrypoint

        drawn = []

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("draw")
                async def draw():
                    before = random.random()
                    if event.payload["calls"]:
                        await self.env.FILES.put("a", "x")
                        await self.env.DB.prepare("SELECT random()").first()
                    drawn.append([before, random.random()])

                await draw()
        """,
    )
    worker.set(pythonpath="src")

    result = worker.run(
        TEST
        + """
    import pytest

    seen = []

    @pytest.mark.workflow(seed=1)
    @pytest.mark.parametrize("calls", [False, True])
    async def test_it(workflow_env, calls):
        seen.append(await run(workflow_env, calls=calls))
        assert seen[0] == seen[-1]
    """
    )

    result.assert_outcomes(passed=2)


def test_run_itself_draws_other_values_in_each_execution(worker):
    worker.write(
        "src/entry.py",
        """
        import uuid
        from workers import WorkflowEntrypoint

        drawn = []

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                drawn.append(uuid.uuid4())
                await step.sleep("a", "1 day")
        """,
    )
    worker.set(pythonpath="src")

    result = worker.run(
        """
        import entry
        import pytest
        from pytest_workflows import introspect_workflow_instance

        @pytest.mark.workflow(ignore_rules=["random-outside-step"])
        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "one") as order:
                await workflow_env.ORDERS.create({"id": "one"})
                await order.wait_for_status("waiting")
                await order.crash()
                await order.wait_for_status("complete")
            assert len(entry.drawn) == len(set(entry.drawn)) >= 2
        """
    )

    result.assert_outcomes(passed=1)


@pytest.mark.skipif(not hasattr(uuid, "uuid7"), reason="uuid7 is new in Python 3.14")
def test_the_uuids_of_successive_steps_stay_in_order(drawing):
    result = drawing.run(
        TEST
        + """
    async def test_it(workflow_env):
        (_, _, first), (_, _, second) = await run(workflow_env)
        ids = [*first[-2:], *second[-2:]]
        assert ids == sorted(ids)
    """
    )

    result.assert_outcomes(passed=1)


def test_a_step_that_seeds_the_generator_gets_what_the_seed_gives(worker):
    worker.write(
        "src/entry.py",
        """
        import random
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("draw")
                async def draw():
                    random.seed(7)
                    state = random.getstate()
                    values = [random.random(), random.gauss(0, 1), random.gauss(0, 1)]
                    random.setstate(state)
                    assert values == [random.random(), random.gauss(0, 1), random.gauss(0, 1)]
                    return values
                return await draw()
        """,
    )

    result = worker.run(
        """
        import random
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            random.seed(3)
            expected = random.Random(3)
            assert random.gauss(0, 1) == expected.gauss(0, 1)
            async with introspect_workflow_instance(workflow_env.ORDERS, "one") as order:
                await workflow_env.ORDERS.create({"id": "one"})
                await order.wait_for_status("complete")
                seven = random.Random(7)
                assert await order.get_output() == [seven.random(), seven.gauss(0, 1), seven.gauss(0, 1)]
            assert (random.gauss(0, 1), random.random()) == (expected.gauss(0, 1), expected.random())
        """
    )

    result.assert_outcomes(passed=1)


def test_what_a_module_draws_while_it_is_imported_changes_nothing(worker):
    worker.write("src/late.py", "import random, uuid\nnumber = random.Random().random()\nid = uuid.uuid4()\n")
    worker.write(
        "src/entry.py",
        """
        import random, uuid
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("draw")
                async def draw():
                    import late
                    return [late.id.hex, uuid.uuid4().hex, random.random()]
                return await draw()
        """,
    )
    worker.set(pythonpath="src")

    result = worker.run(
        """
        import pytest
        from pytest_workflows import introspect_workflow_instance

        drawn = []

        @pytest.mark.workflow(seed=1)
        @pytest.mark.parametrize("again", range(2))
        async def test_it(again, workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "one") as order:
                await workflow_env.ORDERS.create({"id": "one"})
                await order.wait_for_status("complete")
                drawn.append(await order.get_output())
            assert drawn[0] == drawn[-1]
        """
    )

    result.assert_outcomes(passed=2)


def test_what_a_test_leaves_in_the_place_of_a_function_stays_there_until_another_one_takes_it_away(worker):
    worker.write(
        "src/entry.py",
        """
    from workers import WorkflowEntrypoint

    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step): ...
    """,
    )
    worker.run(
        """
    import random, uuid

    functions = random.random, random.seed, uuid.uuid1

    def are_the_originals():
        return [random.random is functions[0], random.seed is functions[1], uuid.uuid1 is functions[2]]

    async def test_they_are_exchanged(workflow_env, workflow_engine):
        assert are_the_originals() == [False] * 3

    async def test_and_put_back_and_exchanged_again(workflow_env, workflow_engine):
        assert are_the_originals() == [False] * 3

    def test_one_leaves_its_own():
        assert are_the_originals() == [True] * 3
        random.random = lambda: 0.5

    async def test_which_is_no_original(workflow_env, workflow_engine):
        assert random.random() == 0.5
        assert are_the_originals() == [False] * 3

    def test_another_one_takes_it_away():
        assert random.random() == 0.5
        assert are_the_originals() == [False, True, True]
        random.random = functions[0]

    async def test_and_all_are_exchanged_again(workflow_env, workflow_engine):
        assert are_the_originals() == [False] * 3
        random.random = random.getrandbits  # ours as well, in another's place

    def test_and_put_back():
        assert random.random is random.getrandbits
        assert are_the_originals() == [False, True, True]
        random.random = functions[0]
    """
    ).assert_outcomes(passed=7)
