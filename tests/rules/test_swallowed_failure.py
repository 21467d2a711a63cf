"""swallowed-failure: a step's failure is caught with much else, nothing is done about it, the instance is complete."""

from typing import Any

import pytest

STEPS = """
        NEVER = {"retries": {"limit": 0, "delay": 0}}

        def failing(step, name="charge", error=OSError):
            @step.do(name, config=NEVER)
            async def callback():
                raise error("no answer")

            return callback

        def working(step, name="ship"):
            @step.do(name)
            async def callback():
                return {"ok": True}

            return callback

        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                charge, ship = failing(step), working(step)
"""

BAD = {
    "two steps in one try": """
                try:
                    await charge()
                    await ship()
                except Exception:  # <-- here
                    return "something went wrong"
    """,
    "a bare except": """
                status = "ok"
                try:
                    await ship()
                    await charge()
                except:  # <-- here
                    status = "failed"
                return status
    """,
    "steps in a loop": """
                done = 0
                try:
                    for step in (ship, charge, ship):
                        await step()
                        done += 1
                except (KeyError, Exception) as error:  # <-- here
                    print(error)
                return done
    """,
    "a step, and a computation with its result": """
                try:
                    charged = await charge()
                    total = sum(charged["amounts"])
                except Exception:  # <-- here
                    total = 0
                return total
    """,
    "gathered steps": """
                import asyncio

                try:
                    await asyncio.gather(ship(), charge())
                except Exception:  # <-- here
                    return "something went wrong"
    """,
    "a group of tasks": """
                import asyncio

                try:
                    async with asyncio.TaskGroup() as group:
                        group.create_task(ship())
                        group.create_task(charge())
                except Exception:  # <-- here
                    return "something went wrong"
    """,
    "suppress": """
                from contextlib import suppress

                with suppress(Exception):  # <-- here
                    await charge()
                    await ship()
    """,
    "around a method that charges": """
                async def pay():
                    await charge()

                try:
                    await pay()
                    await ship()
                except Exception:  # <-- here
                    return "something went wrong"
    """,
    "an inner try that does not catch it": """
                try:
                    try:
                        await charge()
                    except ValueError:
                        pass
                    await ship()
                except Exception:  # <-- here
                    return "something went wrong"
    """,
    "an inner try that raises it again": """
                try:
                    try:
                        await charge()
                    except Exception:
                        print("no")
                        raise
                    await ship()
                except BaseException:  # <-- here
                    return "something went wrong"
    """,
}
GOOD = {
    "one step at a time": """
                try:
                    await charge()
                except Exception:
                    return "not charged"
                await ship()
    """,
    "one step, and a log line": """
                try:
                    print("charging")
                    charged = await charge()
                    print(charged)
                except Exception:
                    charged = None
                return charged
    """,
    "each step of a loop": """
                failed = []
                for name, step in (("ship", ship), ("charge", charge)):
                    try:
                        await step()
                    except Exception:
                        failed.append(name)
                return failed
    """,
    "raised again": """
                try:
                    await charge()
                    await ship()
                except Exception:
                    print("no")
                    raise
    """,
    "raised as another error": """
                try:
                    await charge()
                    await ship()
                except Exception as error:
                    raise RuntimeError("the order failed") from error
    """,
    "compensated by a step": """
                try:
                    await charge()
                    await ship()
                except Exception:
                    await working(step, "refund")()
                    return "refunded"
    """,
    "compensated later": """
                failed = False
                try:
                    await charge()
                    await ship()
                except Exception:
                    failed = True
                if failed:
                    await working(step, "refund")()
    """,
    "an exception by its name": """
                from pyodide.ffi import JsException

                try:
                    await charge()
                    await ship()
                except JsException:
                    return "not charged"
    """,
    "caught by its name before all others": """
                from workers.workflows import NonRetryableError

                charge = failing(step, "charge", NonRetryableError)
                try:
                    await charge()
                    await ship()
                except NonRetryableError:
                    return "declined"
                except Exception:
                    return "something went wrong"
    """,
    "nothing fails": """
                try:
                    await ship()
                    await working(step, "archive")()
                except Exception:
                    return "something went wrong"
    """,
    "a gathering that returns its exceptions": """
                import asyncio

                try:
                    return [str(result) for result in await asyncio.gather(ship(), charge(), return_exceptions=True)]
                except Exception:
                    return "something went wrong"
    """,
    "the instance fails after all": """
                try:
                    await charge()
                    await ship()
                except Exception:
                    print("no")
                raise ValueError("the order failed")
    """,
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
async def test_a_failure_that_nobody_learns_of_is_found(bench: Any, body: str) -> None:
    source = STEPS.strip("\n") + body

    found = await bench.findings(source)

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(source, "swallowed-failure")


@pytest.mark.parametrize("body", GOOD.values(), ids=GOOD)
async def test_a_failure_that_is_dealt_with_is_not(bench: Any, body: str) -> None:
    assert await bench.findings(STEPS.strip("\n") + body) == []


async def test_the_finding_names_the_step(bench: Any) -> None:
    [finding] = await bench.findings(STEPS.strip("\n") + BAD["two steps in one try"])

    assert finding.step == "charge-1"
    assert finding.message == (
        "the failure of step 'charge-1' is caught here with more than that step, and the instance ended complete"
    )


async def test_a_failure_of_an_earlier_life_counts(bench: Any) -> None:
    body = """
                try:
                    await charge()
                    await ship()
                except Exception:  # <-- here
                    await_later = "something went wrong"
                await step.sleep("a day", "1 day")
    """
    source = STEPS.strip("\n") + body

    async def crash(_: Any) -> None:
        engine = bench.running.engine
        await engine.settle()
        [instance] = engine.instances
        assert bench.running.engine.findings.take() == []
        engine.crash(instance.workflow, instance.id)
        await engine.run_until_idle()

    found = await bench.findings(source, act=crash)

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(source, "swallowed-failure")
