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
    "noted, and only returned": """
                failed = []
                try:
                    await charge()
                    await ship()
                except Exception as error:  # <-- here
                    failed.append(str(error))
                await working(step, "archive")()
                return failed
    """,
    "noted, and read only before it fails": """
                last, order = None, {}

                @step.do()
                async def report():
                    return last

                await report()
                try:
                    await charge()
                    if last:
                        await ship()
                except Exception as error:  # <-- here
                    last = order["error"] = str(error)
                return order
    """,
    "noted under a name that a later step has for something else": """
                async def tell(error):
                    await working(step, f"tell {error}")()

                try:
                    await charge()
                    await ship()
                except Exception as caught:  # <-- here
                    error = str(caught)
                await tell("all")
                return error
    """,
    "a method with several steps": """
                try:
                    return await self.process(charge, ship)
                except Exception as error:  # <-- here
                    print(error)
                    return {"status": "failed"}

            async def process(self, charge, ship):
                await charge()
                return await ship()
    """,
    "a function of the module with steps in a loop": """
                try:
                    await all_of([charge, ship])
                except Exception:  # <-- here
                    return "something went wrong"

        async def all_of(steps):
            for step in steps:
                await step()
    """,
    "a method that gathers, called by another one": """
                try:
                    await self.process(charge, ship)
                except Exception:  # <-- here
                    return "something went wrong"

            async def process(self, *steps):
                await self.gather(*steps)

            async def gather(self, one, other):
                import asyncio

                await asyncio.gather(one(), other())
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
    "noted in a list that decides later": """
                failed = []
                for name in ("a", "b"):
                    try:
                        await charge()
                        await ship()
                    except Exception:
                        failed.append(name)
                if failed:
                    await working(step, "tell")()
                return failed
    """,
    "noted in a list that is gone through later": """
                failed = []
                try:
                    await charge()
                    await ship()
                except Exception:
                    failed += ["an order"]
                for name in failed:
                    await working(step, f"tell {name}")()
    """,
    "noted in a dict that is matched later": """
                outcome = {"status": "fine"}
                try:
                    await charge()
                    await ship()
                except Exception:
                    outcome["status"] = "failed"
                match outcome["status"]:
                    case "failed":
                        await working(step, "refund")()
    """,
    "noted for the callback of a later step": """
                error = None
                try:
                    await charge()
                    await ship()
                except Exception as caught:
                    error = str(caught)

                @step.do()
                async def report():
                    return {"ok": error is None, "error": error}

                await report()
    """,
    "noted for a step that was declared before": """
                errors = []
                report = step.do("report")(lambda: errors)
                try:
                    await charge()
                    await ship()
                except Exception as caught:
                    errors.append(str(caught))
                await report()
    """,
    "noted, and handed to a later step": """
                error = None
                try:
                    await charge()
                    await ship()
                except Exception as caught:
                    error = str(caught)
                summary = f"failed: {error}" if error else "fine"
                await self.tell(step, summary)

            async def tell(self, step, text):
                await step.do("tell")(lambda: text)()
    """,
    "noted in self for a method": """
                try:
                    await charge()
                    await ship()
                except Exception as caught:
                    self.error = str(caught)
                await self.tell(step)

            async def tell(self, step):
                await step.do("tell")(lambda: self.error)()
    """,
    "noted by a method in self for run": """
                await self.process(charge, ship)
                if self.error:
                    await working(step, "refund")()

            async def process(self, charge, ship):
                try:
                    await charge()
                    await ship()
                except Exception as caught:
                    self.error = str(caught)
    """,
    "noted by several tasks": """
                import asyncio

                failed = []

                async def one(name):
                    try:
                        await charge()
                        await ship()
                    except Exception:
                        failed.append(name)

                await asyncio.gather(one("a"), one("b"))
                lines = []
                for name in failed:
                    lines.append(f"{name} failed")
                await step.do("tell")(lambda: lines)()
    """,
    "noted, and told in the finally": """
                error = None
                try:
                    await charge()
                    await ship()
                except Exception as caught:
                    error = str(caught)
                finally:
                    await step.do("tell")(lambda: error)()
    """,
    "a method with one step": """
                try:
                    charged = await self.charge(charge, max(1, 2), str(1), str(2))
                except Exception:
                    charged = None
                return charged

            async def charge(self, charge, *keys):
                charged = await charge()
                return max(charged["amounts"])
    """,
    "a method that hands on one step": """
                try:
                    charged = await self.charge(charge)
                except Exception:
                    charged = None
                return charged

            def charge(self, charge):
                return charge()
    """,
    "one step whose result is taken apart": """
                try:
                    user = await charge()
                    name = user["name"].strip() or str(user.get("id"))
                except Exception:
                    name = "unknown"
                return name
    """,
    "one step that is declared in the try": """
                try:
                    charge_it = step.do("charge it", config=NEVER)(lambda: {}["amount"])
                    return await charge_it()
                except Exception:
                    return None
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
    assert bench.running.engine.instances[0].row.status == ("errored" if "raise" in body else "complete")


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
