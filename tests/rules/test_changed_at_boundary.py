"""changed-at-boundary: what a step returned came back as something else, and was then used."""

from typing import Any

import pytest

HEAD = """
        import asyncio, base64, json
        from array import array
        from datetime import datetime, timedelta, UTC

        LAUNCH = datetime(2100, 1, 1, tzinfo=UTC)

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
"""
BAD = {
    "an aware datetime that is compared": """
                @step.do()
                async def when():
                    return LAUNCH - timedelta(days=1)  # <-- here

                launch = await when()
                return launch.replace(hour=1) < launch
    """,
    "an aware datetime in a dict": """
                @step.do()
                async def when():
                    return {"name": "launch", "at": LAUNCH}  # <-- here

                launch = await when()
                at = launch["at"]
                return f"{launch['name']} at {at}"
    """,
    "an aware datetime that is read as an attribute": """
                @step.do()
                async def when():
                    return {"at": LAUNCH}  # <-- here

                return (await when()).at.isoformat()
    """,
    "bytes that are decoded": """
                @step.do()
                async def load():
                    return b"text"  # <-- here

                data = await load()

                @step.do()
                async def show():
                    return data.decode()

                try:
                    return await show()
                except Exception:
                    return None
    """,
    "bytes in a list": """
                @step.do()
                async def load():
                    return [b"text"]  # <-- here

                for part in await load():
                    str(part)
    """,
    "an array that is handed on": """
                @step.do()
                async def load():
                    return {"data": array("b", [1])}  # <-- here

                self.keep(await load())

            def keep(self, found): ...
    """,
    "a whole float by its type": """
                @step.do()
                async def price():
                    return 20.0  # <-- here

                return isinstance(await price(), float)
    """,
    "a whole float in a text": """
                @step.do()
                async def price():
                    return {"price": 20.0}  # <-- here

                found = await price()
                return f"{found['price']} EUR"
    """,
    "a whole float by its class": """
                @step.do()
                async def price():
                    return 20.0  # <-- here

                return type(await price()) is float
    """,
    "a whole float in a pattern": """
                @step.do()
                async def price():
                    return 20.0  # <-- here

                match await price():
                    case float():
                        return "a price"
    """,
    "a whole float as a str": """
                @step.do()
                async def price():
                    return {"price": 20.0}  # <-- here

                found = await price()
                return "EUR " + str(found["price"])
    """,
    "a whole float with a width": """
                @step.do()
                async def price():
                    return 20.0  # <-- here

                found = await price()
                return f"{found:>10}"
    """,
    "a whole float in a text with %": """
                @step.do()
                async def price():
                    return 20.0  # <-- here

                found = await price()
                return "%.1f, or %s" % (1.5, found)
    """,
    "a whole float in a text with format": """
                @step.do()
                async def price():
                    return 20.0  # <-- here

                found = await price()
                return "{n:.1f}, or {}".format(found, n=1.5)
    """,
    "a method that an int has only since Python 3.12": """
                @step.do()
                async def price():
                    return 20.0  # <-- here

                found = await price()
                try:
                    return found.is_integer()
                except AttributeError:
                    return None
    """,
    "a text of a whole float that was computed with": """
                @step.do()
                async def price():
                    return {"price": 20.0}  # <-- here

                found = await price()
                total = round(-found["price"] * 3, 2)
                return f"{total} EUR"
    """,
    "an aware datetime that is compared after a timedelta": """
                @step.do()
                async def when():
                    return LAUNCH  # <-- here

                later = await when() + timedelta(days=1)
                try:
                    return later < LAUNCH
                except TypeError:
                    return None
    """,
    "keys that are numbers": """
                @step.do()
                async def counts():
                    return {1: "a", 2: "b"}  # <-- here

                found = await counts()
                return found.get(1)
    """,
    "keys that are gone through": """
                @step.do()
                async def counts():
                    return {1: "a", 2: "b"}  # <-- here

                return [key for key in await counts()]
    """,
    "an exception that is looked into": """
                @step.do()
                async def check():
                    return {"error": KeyError("name")}  # <-- here

                found = await check()
                return found["error"].args
    """,
    "a dependency": """
                @step.do()
                async def load():
                    return b"text"  # <-- here

                @step.do()
                async def show(load):
                    return load.decode()

                try:
                    return await show()
                except Exception:
                    return None
    """,
    "a lambda": """
                data = await step.do("load")(lambda: b"text")()  # <-- here
                return str(data)
    """,
}
GOOD = {
    "what survives the trip": """
                @step.do()
                async def load():
                    return {"at": LAUNCH.isoformat(), "price": 20.5, "count": 3, "text": "a", "data": "dGV4dA=="}

                found = await load()
                at = datetime.fromisoformat(found["at"])
                return [at < LAUNCH, found["price"] * 2, base64.b64decode(found["data"]).decode()]
    """,
    "converted where it is used": """
                @step.do()
                async def load():
                    return {"at": LAUNCH, "data": b"text", "price": 20.0}

                found = await load()
                at = found["at"].replace(tzinfo=UTC)
                data = bytes(found["data"])
                price = float(found["price"])
                return [at.isoformat(), data.decode(), f"{price} EUR"]
    """,
    "bytes for what takes a memoryview as well": """
                import hashlib

                @step.do()
                async def load():
                    return {"data": b"text"}

                found = await load()
                return [hashlib.sha256(found["data"]).hexdigest(), found["data"] == b"text", found["data"].hex()]
    """,
    "converted under its own name": """
                @step.do()
                async def when():
                    return LAUNCH

                at = await when()
                at = at.replace(tzinfo=UTC)
                return at < LAUNCH
    """,
    "nobody looks at the result": """
                @step.do()
                async def load():
                    return b"text"

                await load()
                unused = await load()
    """,
    "another part is used": """
                @step.do()
                async def load():
                    return {"id": 1, "at": LAUNCH, "data": b"text"}

                found = await load()
                return str(found["id"])
    """,
    "only returned by run": """
                @step.do()
                async def load():
                    return {"at": LAUNCH, "price": 20.0}

                found = await load()
                return {"found": found, "at": found["at"]}
    """,
    "a whole float where its type does not matter": """
                @step.do()
                async def score():
                    return {"score": 1.0}

                found = await score()
                if found["score"] > 0.5 and found["score"]:
                    return f"{found['score']:.2f}"
    """,
    "a whole float that is computed with": """
                @step.do()
                async def order():
                    return {"price": 20.0, "n": 3}

                found = await order()
                total = found["price"] * found["n"]
                total += found["price"] // 3 + found["price"] % 7 + found["price"] / 8 - found["price"] ** 2
                if total > 20:
                    return [total, round(found["price"] * 100), -found["price"], sum([found["price"]])]
    """,
    "a text of what a whole float was divided by": """
                @step.do()
                async def price():
                    return 20.0

                found = await price()
                return f"{found / 2} or {found * 1.5}"
    """,
    "a whole float that a binding gets": """
                @step.do()
                async def order():
                    return {"price": 20.0}

                found = await order()
                self.keep(found["price"], [found["price"]], price=found["price"])

            def keep(self, *found, price): ...
    """,
    "a whole float in what is handed on": """
                @step.do()
                async def order():
                    return {"price": 20.0}

                found = await order()
                return json.dumps(found)
    """,
    "a whole float in a text that says how": """
                @step.do()
                async def price():
                    return 20.0

                found = await price()
                texts = ["%d or %.2f" % (found, found), "{:.2f} {n}".format(found, n=1), format(found, ".1f")]
                return [*texts, f"{found:>10.2f}"]
    """,
    "a whole float where an int is as good": """
                @step.do()
                async def price():
                    return 20.0

                found = await price()
                return [isinstance(found, int | float), isinstance(found, str), found.real, found.as_integer_ratio()]
    """,
    "a whole float in a log line": """
                @step.do()
                async def price():
                    return 20.0

                found = await price()
                print(f"it costs {found}")
    """,
    "a time to sleep until": """
                @step.do()
                async def when():
                    return {"at": datetime.now(UTC) + timedelta(days=9)}

                found = await when()
                day_before = found["at"] - timedelta(days=1)
                await step.sleep_until("a day before", when=day_before)
                await step.sleep_until("launch", found["at"])
                await step.sleep_until("a day later", found["at"] + timedelta(days=1))
    """,
    "keys by the text that they come back as": """
                @step.do()
                async def counts():
                    return {1: "a", 2: "b"}

                found = await counts()
                return [found["1"], found.get("2"), len(found), list(found.values())]
    """,
    "logged": """
                @step.do()
                async def load():
                    return b"text"

                print(await load())
    """,
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
async def test_what_came_back_as_something_else_and_is_used_is_found(bench: Any, body: str) -> None:
    source = HEAD.strip("\n") + body

    found = await bench.findings(source)

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(source, "changed-at-boundary")


@pytest.mark.parametrize("body", GOOD.values(), ids=GOOD)
async def test_what_makes_no_difference_is_not(bench: Any, body: str) -> None:
    assert await bench.findings(HEAD.strip("\n") + body) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "an aware datetime in a dict",
            "step 'when-1' returned an aware datetime in `['at']`, which came back as a naive one, in UTC, "
            "and line 16 uses it",
        ),
        ("a lambda", "step 'load-1' returned bytes, which came back as a memoryview, and line 11 uses it"),
        (
            "a whole float by its type",
            "step 'price-1' returned 20.0, which came back as the int 20, and line 14 uses it",
        ),
        (
            "keys that are numbers",
            "step 'counts-1' returned a dict with the key 1, which came back as one whose keys are all str, "
            "and line 15 uses it",
        ),
    ],
)
async def test_the_finding_says_what_became_of_it(bench: Any, name: str, message: str) -> None:
    [finding] = await bench.findings(HEAD.strip("\n") + BAD[name])

    assert finding.message == message


async def test_a_result_that_the_test_mocks_is_not_looked_at(bench: Any) -> None:
    body = BAD["a whole float in a text"]

    found = await bench.findings(HEAD.strip("\n") + body, modify=lambda m: m.mock_step_result("price", {"price": 20.0}))

    assert found == []
