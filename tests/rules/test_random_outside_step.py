"""random-outside-step: `run` takes a random value or reads the time outside of its steps."""

import os
import random
import textwrap
import uuid
from typing import Any

import pytest

TAKEN = {
    "uuid.uuid4()": "import uuid",
    "uuid.uuid1()": "import uuid",
    "uuid4()": "from uuid import uuid4",
    "random.random()": "import random",
    "random.randint(1, 6)": "import random",
    "random.choice('abc')": "import random",
    "random.shuffle([1, 2])": "import random",
    "random.sample(range(9), 2)": "import random",
    "random.uniform(0, 1)": "import random",
    "random.gauss(0, 1)": "import random",
    "random.getrandbits(8)": "import random",
    "random.randbytes(8)": "import random",
    "random.Random()": "import random",
    "random.SystemRandom().random()": "import random",
    "random()": "from random import random",
    "choice('abc')": "from random import choice",
    "secrets.token_hex(4)": "import secrets",
    "secrets.token_urlsafe()": "import secrets",
    "secrets.choice('abc')": "import secrets",
    "secrets.randbelow(9)": "import secrets",
    "os.urandom(4)": "import os",
    "urandom(4)": "from os import urandom",
    "datetime.now()": "from datetime import datetime",
    "datetime.now(UTC)": "from datetime import datetime, UTC",
    "datetime.utcnow()": "from datetime import datetime",
    "datetime.datetime.today()": "import datetime",
    "date.today()": "from datetime import date",
    "time.time()": "import time",
    "time.time_ns()": "import time",
    "time.gmtime()": "import time",
    "time.localtime()": "import time",
    "time.strftime('%Y')": "import time",
    "now()": "from time import time as now",
    "time.clock_gettime(time.CLOCK_REALTIME)": "import time",
    "time.clock_gettime_ns(time.CLOCK_REALTIME)": "import time",
    "datetime.now(tz=ZoneInfo('Asia/Tokyo'))": "from datetime import datetime; from zoneinfo import ZoneInfo",
    "Date.now()": "from js import Date",
}
REFERENCES = {
    "Made()": """
        from dataclasses import dataclass, field
        from datetime import datetime

        @dataclass
        class Made:
            at: datetime = field(default_factory=datetime.now)
    """,
    "Model(sku='A')": """
        from datetime import datetime
        from pydantic import BaseModel, Field

        class Model(BaseModel):
            sku: str
            at: datetime = Field(default_factory=datetime.now)
    """,
    "Model(...)": """
        from datetime import datetime
        from pydantic import BaseModel, Field

        class Model(BaseModel):
            sku: str
            at: datetime = Field(default_factory=datetime.now)
    """,
    "Struct()": """
        import msgspec, time

        class Struct(msgspec.Struct):
            at: float = msgspec.field(default_factory=time.time)
    """,
    "clock()": """
        import functools
        from datetime import datetime, timezone

        clock = functools.partial(datetime.now, timezone.utc)
    """,
    "table['now']()": """
        import time

        table = {"now": time.time_ns}
    """,
    "Config.clock()": """
        import time

        class Config:
            clock = time.time
    """,
    "list(map(call, [datetime.now]))": """
        from datetime import datetime
        from operator import call
    """,
}
BAD = {
    "in a function of the source": """
        import uuid

        def new_id():
            return str(uuid.uuid4())  # <-- here

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                return new_id()
    """,
    "for a log line": """
        import logging
        from datetime import datetime

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                logging.getLogger("report").warning("it begins at %s", datetime.now())  # <-- here
                print(f"{datetime.now()} started")  # <-- here
    """,
    "in a method, between two steps": """
        import random

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do()
                async def first():
                    return 1

                await first()
                self.jitter()

            def jitter(self):
                return random.random()  # <-- here
    """,
    "in a task that run started": """
        import asyncio, time

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                async def look():
                    return time.time()  # <-- here

                return await asyncio.create_task(look())
    """,
    "in the name of a step": """
        from datetime import datetime

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do(f"report of {datetime.now():%H:%M}")  # <-- here
                async def report():
                    return 1

                return await report()
    """,
    "in a default argument": """
        import time

        def age(clock=time.time):
            return clock()  # <-- here

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                return age()
    """,
    "without a call of its own": """
        from datetime import datetime

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                for now in iter(datetime.now, None):  # <-- here
                    return now.isoformat()
    """,
    "in a call over several lines": """
        from datetime import datetime, timezone

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                return (
                    datetime.now(  # <-- here
                        timezone.utc
                    ).isoformat()
                )
    """,
}
GOOD = {
    "in a step": """
        import random, secrets, time, uuid
        from datetime import datetime

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do()
                async def take():
                    random.random(), secrets.token_hex(), time.time(), uuid.uuid4()
                    return datetime.now().isoformat()

                return await take()
    """,
    "in a function that a step calls, in a thread's place": """
        import uuid

        def new_id():
            return str(uuid.uuid4())

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                return await step.do("id")(new_id)()
    """,
    "from a generator with a seed": """
        import random

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                chance = random.Random(event["instanceId"])
                return [chance.random(), chance.choice("abc"), chance.sample(range(9), 2)]
    """,
    "the same answer each time": """
        import time, uuid
        from datetime import datetime, timedelta, UTC

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                uuid.uuid5(uuid.NAMESPACE_DNS, event["instanceId"])
                time.gmtime(0), time.strftime("%Y", time.gmtime(0)), time.monotonic(), time.perf_counter()
                return (datetime.fromtimestamp(0, UTC) + timedelta(days=1)).isoformat()
    """,
    "a log line, which has the time in it": """
        import logging

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                logging.getLogger("report").warning("%s begins", event["instanceId"])
    """,
    "a library that reads for itself": """
        import email.utils
        import http.cookiejar

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                http.cookiejar.CookieJar().clear_expired_cookies()
                return email.utils.formatdate(0)
    """,
    "a reference, in a step": """
        from dataclasses import dataclass, field
        from datetime import datetime

        @dataclass
        class Made:
            at: datetime = field(default_factory=datetime.now)

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do()
                async def make():
                    return Made().at

                return await make()
    """,
    "at the top of the module": """
        import uuid

        VERSION = str(uuid.uuid4())

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                return VERSION
    """,
}


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")  # Python's own, from 3.12 on
@pytest.mark.parametrize("call", TAKEN)
async def test_each_source_of_chance_and_time_is_found_by_the_name_that_it_has_in_the_source(
    bench: Any, call: str
) -> None:
    source = f"""
        {TAKEN[call]}

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                {call}  # <-- here
    """

    found = await bench.findings(source, settings={"ignore_rules": ("not-on-platform",)})  # time zones, for one

    shown = "time.time" if call == "now()" else call
    assert [(finding.rule, finding.line) for finding in found] == bench.marked(source, "random-outside-step")
    assert found[0].message == f"`{shown}` is called in `run`, outside of its steps"


@pytest.mark.parametrize("call", REFERENCES)
async def test_a_read_through_a_reference_is_found_at_the_line_that_led_to_it(bench: Any, call: str) -> None:
    written = call.replace("...", f"sku={'A' * 60!r}")
    source = f"""
{textwrap.indent(textwrap.dedent(REFERENCES[call]), "        ")}
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                {written}  # <-- here
    """

    found = await bench.findings(source)

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(source, "random-outside-step")
    assert found[0].message == f"`{call}` reads the time in `run`, outside of its steps"


@pytest.mark.parametrize("source", BAD.values(), ids=BAD)
async def test_what_run_takes_is_found(bench: Any, source: str) -> None:
    found = await bench.findings(source)

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(source, "random-outside-step")


@pytest.mark.parametrize("source", GOOD.values(), ids=GOOD)
async def test_what_steps_take_and_what_stays_the_same_is_not(bench: Any, source: str) -> None:
    assert await bench.findings(source) == []


async def test_a_fake_of_the_test_may_take_what_it_likes(bench: Any) -> None:
    class Ids:
        def new(self) -> str:
            return str(uuid.uuid4())

    found = await bench.findings(
        """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                return self.env.IDS.new()
        """,
        env={"IDS": Ids()},
    )

    assert [finding.rule for finding in found if finding.rule == "random-outside-step"] == []


async def test_afterwards_everything_is_the_original_again(bench: Any) -> None:
    names = [(random, "random"), (random, "getrandbits"), (random, "_urandom"), (os, "urandom")]
    before = [getattr(module, name) for module, name in names] + [random.Random.seed]
    source = """
        from os import urandom
        from random import random

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                return self.names()

            def names(self):
                return urandom is not None and random is not None
    """

    await bench.findings(source)
    workflow = bench.running.setup.sources.workflows["WORKFLOW"]
    bench.close()

    after = [getattr(module, name) for module, name in names] + [random.Random.seed]
    imported = workflow.run.__globals__
    assert all(one is other for one, other in zip(before, after, strict=True))
    assert (imported["urandom"], imported["random"]) == (os.urandom, random.random)
    assert imported["random"] is before[0]
    assert type(random._inst) is random.Random


async def test_the_numbers_are_those_of_the_seed(bench: Any) -> None:
    random.seed(7)
    expected = [random.random(), random.randint(1, 100), random.choice("abc")]

    async def again(_: Any) -> None:
        random.seed(7)
        assert [random.random(), random.randint(1, 100), random.choice("abc")] == expected

    await bench.findings(
        """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step): ...
        """,
        act=again,
    )
