"""Classes of dates are the real ones wherever user code is imported, and whatever calls the clock sees virtual time."""

import sys
from typing import Any

import pytest

GO = """
    from pytest_workflows import introspect_workflow_instance

    async def go(workflow_env, params=None):
        async with introspect_workflow_instance(workflow_env.ORDERS, "o") as instance:
            await workflow_env.ORDERS.create({"id": "o", "params": params or {}})
            await instance.wait_for_status("complete")
            return await instance.get_output()
"""


@pytest.fixture
def shop(worker: Any) -> Any:
    worker.write("conftest.py", "")
    worker.write("go.py", GO)
    worker.set(pythonpath=".")
    return worker


def test_a_metaclass_over_date_can_be_defined(shop: Any) -> None:
    shop.write(
        "src/entry.py",
        """
        from datetime import date
        from workers import Response, WorkerEntrypoint, WorkflowEntrypoint

        class Meta(type):
            pass

        class Day(date, metaclass=Meta):
            pass

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                return "ok"

        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                return Response("ok")
        """,
    )

    result = shop.run("""
        async def test_fetch(workflow_worker):
            assert (await workflow_worker.fetch("/")).status == 200

        async def test_workflow(workflow_env):
            await workflow_env.ORDERS.create({"id": "a"})
    """)

    result.assert_outcomes(passed=2)


MODELS = """
    import copy, functools, pickle, typing
    from dataclasses import dataclass
    from datetime import date, datetime, timezone

    from pydantic import BaseModel
    from workers import WorkflowEntrypoint

    class Order(BaseModel):
        sku: str
        ordered_at: datetime
        ship_on: date | None = None

    @dataclass
    class Line:
        at: datetime
        day: date

    @functools.singledispatch
    def kind(value):
        return "other"

    @kind.register
    def _(value: date):
        return "date"

    @kind.register
    def _(value: datetime):
        return "datetime"

    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("in a step")
            async def in_step():
                import lazy

                assert lazy.Late(at=lazy.datetime.now()).at == datetime.now()
                now = datetime.now()
                assert type(now) is type(datetime.now(timezone.utc)) is datetime
                assert type(date.today()) is date
                assert type(pickle.loads(pickle.dumps(now))) is type(copy.deepcopy(now)) is datetime
                assert [kind(now), kind(date.today()), kind(1)] == ["datetime", "date", "other"]
                assert isinstance(now, date) and not isinstance(date.today(), datetime)
                assert typing.get_type_hints(Line) == {"at": datetime, "day": date}
                assert Order.model_fields["ordered_at"].annotation is datetime
                return Order(sku="A", ordered_at=now, ship_on=now.date()).model_dump(mode="json")

            return await in_step()
"""
LAZY = """
    from datetime import datetime
    from pydantic import BaseModel

    class Late(BaseModel):
        at: datetime
"""
BEFORE = {
    "nothing": "",
    "main by a conftest": "import entry",
    "models by a plugin": "import pydantic, datetime",
    "main by a fixture of the session": """
        import pytest

        @pytest.fixture(scope="session", autouse=True)
        def imported():
            import entry
    """,
}


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
def test_models_are_made_of_real_classes_whatever_was_imported_before(shop: Any, before: str) -> None:
    shop.write("src/entry.py", MODELS)
    shop.write("src/lazy.py", LAZY)
    shop.write("conftest.py", before)
    shop.write("tests/test_before.py", "def test_that_uses_the_clock(workflow_clock):\n    import lazy\n")

    result = shop.run(
        """
        import pytest
        from go import go

        @pytest.mark.workflow(now="2040-01-02T00:00:00Z")
        async def test_it(workflow_env):
            expected = {"sku": "A", "ordered_at": "2040-01-02T00:00:00", "ship_on": "2040-01-02"}
            assert await go(workflow_env) == expected

        async def test_again(workflow_env):
            await go(workflow_env)
    """,
        "-o",
        "workflows_ignore_rules=not-on-platform",  # it reads the clock in a thread, and in a time zone
        process=True,  # where pydantic is imported for the first time
    )

    result.assert_outcomes(passed=3)


@pytest.mark.parametrize("plugins", [(), ("inline_snapshot",), ("xdist.plugin",)])
def test_other_plugins_change_nothing(shop: Any, plugins: tuple[str, ...]) -> None:
    shop.write("src/entry.py", MODELS)
    shop.write("src/lazy.py", LAZY)

    result = shop.run(
        """
        from go import go

        async def test_1(workflow_env):
            await go(workflow_env)

        async def test_2(workflow_env):
            await go(workflow_env)
        """,
        *(["-n", "1"] if plugins == ("xdist.plugin",) else []),
        plugins=() if plugins == ("xdist.plugin",) else plugins,
        process=True,
    )

    result.assert_outcomes(passed=2)


def test_an_application_of_fastapi_can_be_defined(shop: Any) -> None:
    shop.write(
        "src/entry.py",
        """
        from datetime import datetime
        from fastapi import FastAPI
        from workers import WorkflowEntrypoint

        app = FastAPI()

        @app.get("/start/{sku}")
        async def start(sku: str, at: datetime):
            return {"sku": sku}

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                return [route.path for route in app.routes if "sku" in getattr(route, "path", "")]
        """,
    )

    result = shop.run(
        """
        from go import go

        async def test_it(workflow_env):
            assert await go(workflow_env) == ["/start/{sku}"]
    """,
        "-o",
        "workflows_ignore_rules=not-on-platform",  # it reads the clock in a thread, and in a time zone
        process=True,  # where pydantic is imported for the first time
    )

    result.assert_outcomes(passed=1)


REFERENCES = """
    import email.utils, functools, threading, time, uuid, zoneinfo
    from dataclasses import dataclass, field
    from datetime import date, datetime, timezone

    import msgspec
    from js import Date
    from pydantic import BaseModel, Field
    from workers import WorkflowEntrypoint

    @dataclass
    class Made:
        at: datetime = field(default_factory=datetime.now)

    class Model(BaseModel):
        at: datetime = Field(default_factory=datetime.now)
        day: date = Field(default_factory=date.today)

    class Struct(msgspec.Struct):
        at: float = msgspec.field(default_factory=time.time)

    class Moment(datetime):
        pass

    def default(clock=time.time):
        return clock()

    class Config:
        now = datetime.now
        seconds = staticmethod(time.time)

    partial = functools.partial(datetime.now, timezone.utc)
    table = {"ns": time.time_ns, "today": date.today}

    def in_a_thread(read):
        seen = []
        thread = threading.Thread(target=lambda: seen.append(read()))
        thread.start()
        thread.join()
        return seen[0]

    def seconds(value):
        return datetime.fromtimestamp(value, timezone.utc)

    def look():
        return {
            "dataclass": Made().at,
            "pydantic": Model().at,
            "pydantic, a day": Model().day,
            "msgspec": seconds(Struct().at),
            "a default argument": seconds(default()),
            "a partial": partial(),
            "a class attribute": Config.now(),
            "a static method": seconds(Config.seconds()),
            "a dict, ns": seconds(table["ns"]() / 1e9),
            "a dict, today": table["today"](),
            "a subclass": Moment.now(),
            "today": datetime.today(),
            "a zone": datetime.now(zoneinfo.ZoneInfo("Asia/Tokyo")).astimezone(timezone.utc),
            "gmtime": datetime(*time.gmtime()[:6]),
            "localtime": datetime(*time.localtime()[:6]),
            "strftime": datetime.fromisoformat(time.strftime("%Y-%m-%dT%H:%M:%S")),
            "clock_gettime": seconds(time.clock_gettime(time.CLOCK_REALTIME)),
            "clock_gettime_ns": seconds(time.clock_gettime_ns(time.CLOCK_REALTIME) / 1e9),
            "email": email.utils.parsedate_to_datetime(email.utils.formatdate()),
            "email, local": email.utils.localtime().astimezone(timezone.utc),
            "uuid1": seconds((uuid.uuid1().time - 0x01B21DD213814000) / 1e7),
            "js": seconds(Date.now() / 1000),
            "called by C": list(map(lambda read: read(), [datetime.now]))[0],
            "a thread": in_a_thread(datetime.now),
        }

    def text():
        return {name: value.isoformat()[:19] for name, value in look().items()}

    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("first")
            async def first():
                return text()

            seen = await first()
            await step.sleep("a while", "1 day")

            @step.do("second")
            async def second():
                return text()

            return [seen, await second()]
"""


def test_whatever_calls_the_clock_sees_virtual_time_through_references_taken_at_import_as_well(shop: Any) -> None:
    shop.write("src/entry.py", REFERENCES)

    result = shop.run(
        """
        import time
        import pytest
        from entry import text  # before any clock is virtual
        from go import go

        DAYS = {"pydantic, a day", "a dict, today"}

        def at(day):
            return {name: day if name in DAYS else f"{day}T00:00:00" for name in text()}

        @pytest.mark.workflow(now="2040-01-01T00:00:00Z")
        async def test_it(workflow_env):
            assert text() == at("2040-01-01")
            assert await go(workflow_env) == [at("2040-01-01"), at("2040-01-02")]
            assert text() == at("2040-01-02")

        def test_afterwards_it_is_real_again():
            assert {seen[:4] for seen in text().values()} <= set(map(str, range(2026, 2040)))
    """,
        "-o",
        "workflows_ignore_rules=not-on-platform",  # it reads the clock in a thread, and in a time zone
        process=True,  # where pydantic is imported for the first time
    )

    result.assert_outcomes(passed=2)


def test_the_local_time_is_utc_as_on_the_platform_and_its_own_again_afterwards(shop: Any) -> None:
    shop.write(
        "conftest.py",
        """
        import os, time
        import pytest

        os.environ["TZ"] = "America/New_York"
        time.tzset()

        def pytest_runtest_logfinish():
            assert (os.environ["TZ"], time.tzname[0]) == ("America/New_York", "EST")
        """,
    )

    result = shop.run(
        """
        import os, time
        from datetime import datetime
        import pytest

        @pytest.mark.workflow(now="2026-07-01T12:00:00Z")
        def test_it(workflow_clock):
            assert datetime.now() == datetime(2026, 7, 1, 12)
            assert datetime.now().astimezone() == workflow_clock.now
            assert datetime.now().timestamp() == time.time()

        @pytest.mark.workflow(now="2026-07-01T12:00:00Z")
        def test_that_takes_the_zone_away(workflow_clock):
            del os.environ["TZ"]

        def test_without_workflows():
            assert time.tzname[0] == "EST"
    """,
        process=True,
    )

    result.assert_outcomes(passed=3)


# -- uuid7 ------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.version_info < (3, 14), reason="uuid.uuid7 is new in Python 3.14")
def test_each_tests_uuid7s_carry_its_own_time_whatever_ran_before(shop: Any) -> None:
    shop.write(
        "src/entry.py",
        """
        import uuid
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("make ids")
                async def make_ids():
                    return [str(uuid.uuid7()) for _ in range(9)]

                first = await make_ids()
                await step.sleep("a while", "1 day")
                return [first, await make_ids()]
        """,
    )

    result = shop.run("""
        import datetime, uuid
        import pytest
        from go import go

        NOW = datetime.datetime.now().year

        def date_of(id):
            return datetime.datetime.fromtimestamp(uuid.UUID(id).time / 1000, datetime.UTC).date().isoformat()

        async def dates(workflow_env):
            first, second = await go(workflow_env)
            assert first + second == sorted(first + second)
            return {date_of(id) for id in first}, {date_of(id) for id in second}

        @pytest.mark.workflow(now="2040-01-01T00:00:00Z")
        async def test_1_in_2040(workflow_env):
            assert await dates(workflow_env) == ({"2040-01-01"}, {"2040-01-02"})

        def test_2_without_workflows():
            assert date_of(str(uuid.uuid7())).startswith(str(NOW))

        @pytest.mark.workflow(now="2026-01-01T00:00:00Z")
        async def test_3_in_2026(workflow_env):
            assert await dates(workflow_env) == ({"2026-01-01"}, {"2026-01-02"})

        @pytest.mark.workflow(now="2020-01-01T00:00:00Z")
        async def test_4_in_2020(workflow_env):
            assert await dates(workflow_env) == ({"2020-01-01"}, {"2020-01-02"})

        def test_5_without_workflows():
            assert date_of(str(uuid.uuid7())).startswith(str(NOW))
    """)

    result.assert_outcomes(passed=5)
