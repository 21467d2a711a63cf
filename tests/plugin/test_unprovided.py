"""What the Worker uses and nobody provides is no error of the workflow: the test fails with it, whatever caught it."""

import re
import textwrap
from typing import Any

import pytest

CONFIG = """
    {
      "name": "shop",
      "main": "src/entry.py",
      "compatibility_date": "2026-11-10",
      "workflows": [{"binding": "W", "name": "w", "class_name": "W"}],
      "vectorize": [{"binding": "CACHE", "index_name": "x"}],
      "pipelines": [{"binding": "DB", "pipeline": "x"}]
    }
"""
HEAD = """
import asyncio
import js
from workers import Response, WorkerEntrypoint, WorkflowEntrypoint, fetch

"""
WAIT = """
    import pytest
    from pytest_workflows import MissingBindingError, StepFailedError, UnprovidedError, introspect_workflow_instance

    {marker}
    async def test_it(workflow_env, workflow_worker, workflow_engine):
        async with introspect_workflow_instance(workflow_env.W, "a") as instance:
            await workflow_env.W.create({{"id": "a"}})
{body}
"""


@pytest.fixture
def shop(worker: Any) -> Any:
    worker.write("wrangler.jsonc", CONFIG)
    return worker


def in_run(body: str) -> str:
    """A Worker whose `run` does this."""
    return f"{HEAD}class W(WorkflowEntrypoint):\n    async def run(self, event, step):\n" + textwrap.indent(
        textwrap.dedent(body).strip(), " " * 8
    )


def in_step(body: str) -> str:
    """A Worker whose one step does this."""
    return in_run(
        f"@step.do('work')\nasync def work():\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n\nreturn await work()"
    )


def in_handler(body: str, kind: str = "fetch(self, request)") -> str:
    """A Worker whose handler does this; the test has to call it."""
    lines = textwrap.indent(textwrap.dedent(body).strip(), " " * 8)
    return f"{in_run('return 1')}\n\nclass Default(WorkerEntrypoint):\n    async def {kind}:\n{lines}\n        return Response('ok')\n"


def run(
    shop: Any, source: str, body: str = "await instance.wait_for_status('complete')", *args: str, marker: str = ""
) -> Any:
    shop.write("src/entry.py", source)
    return shop.run(WAIT.format(body=textwrap.indent(textwrap.dedent(body).strip(), " " * 12), marker=marker), *args)


def headline(result: Any) -> str:
    """What the test failed with, in the first line of it; there is only one that says so."""
    result.assert_outcomes(failed=1)
    errors = [line for line in result.outlines if line.startswith("E   ") and "Error: " in line]
    assert len(errors) == 1, errors
    return errors[0].removeprefix("E").strip().removeprefix("pytest_workflows.errors.")


SWALLOWED = {
    "except Exception in a step": in_step("""
        try:
            await self.env.CACHE.put("a", "1")
        except Exception:
            return "no cache"
    """),
    "except BaseException in run": in_run("""
        try:
            await self.env.CACHE.put("a", "1")
        except BaseException:
            return "no cache"
    """),
    "gather in a step": in_step("""
        async def warm():
            await self.env.CACHE.put("a", "1")

        await asyncio.gather(warm(), return_exceptions=True)
    """),
    "a task": in_step("""
        async def warm():
            await self.env.CACHE.put("a", "1")

        await asyncio.wait([asyncio.create_task(warm())])
    """),
    "around a step": in_run("""
        @step.do("warm")
        async def warm():
            await self.env.CACHE.put("a", "1")

        try:
            await warm()
        except Exception:
            pass
    """),
}


@pytest.mark.parametrize("source", SWALLOWED.values(), ids=SWALLOWED)
def test_a_missing_binding_that_the_workflow_swallows_fails_the_test(shop: Any, source: str) -> None:
    result = run(shop, source)

    assert headline(result).startswith("MissingBindingError: env.CACHE.put was used (src/entry.py:")
    result.stdout.fnmatch_lines(
        [
            "E*: the binding 'CACHE' (vectorize in *wrangler.jsonc) is not provided here. Give the test a stand-in*",
            "E*def workflow_bindings():",
            'E*return {"CACHE": FakeCache()}',
            "src/entry.py:*: MissingBindingError",
        ]
    )


def test_uncaught_it_ends_step_and_instance_at_the_first_attempt(shop: Any) -> None:
    result = run(
        shop,
        in_step("await self.env.CACHE.put('a', '1')"),
        """
        with pytest.raises(MissingBindingError, match="'CACHE'") as caught:
            await instance.wait_for_status("complete")
        assert instance.exception is caught.value
        assert [len(step.attempts) for step in instance.steps] == [1]
        assert "MissingBindingError" in (await instance.get_error())["message"]
        """,
    )

    result.assert_outcomes(passed=1)  # the test got it out of its wait, and expected it


@pytest.mark.parametrize(
    "body",
    ["await instance.wait_for_status('complete')", "await instance.wait_for_step_result('work')"],
    ids=["status", "step"],
)
def test_the_headline_names_it_and_not_the_wait_that_failed_for_it(shop: Any, body: str) -> None:
    result = run(shop, in_step("await self.env.CACHE.put('a', '1')"), body)

    assert headline(result).startswith(
        "MissingBindingError: env.CACHE.put was used (src/entry.py:9, in step 'work-1'): the binding 'CACHE'"
    )
    assert "UnreachableStatusError" not in result.stdout.str()


def test_a_wait_for_what_never_comes_for_it_names_it(shop: Any) -> None:
    source = in_handler("""
        try:
            await self.env.CACHE.get("a")
            await self.env.W.create({"id": "b"})
        except Exception:
            pass
    """)

    result = run(
        shop,
        source,
        """
        await workflow_worker.fetch("/")
        async with introspect_workflow_instance(workflow_env.W, "b") as other:
            await other.wait_for_status("complete")
        """,
    )

    assert headline(result).startswith("MissingBindingError: env.CACHE.get was used (src/entry.py:12): ")


def test_the_test_s_own_failure_stands_before_it(shop: Any) -> None:
    source = in_step("""
        try:
            return await self.env.CACHE.get("a")
        except Exception:
            return "no cache"
    """)

    result = run(shop, source, "assert await instance.wait_for_step_result('work') == 'from the cache'")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E*AssertionError*", "*direct cause*", "E*MissingBindingError: env.CACHE.get was used*"]
    )


def test_what_the_worker_made_of_it_is_not_the_headline(shop: Any) -> None:
    source = in_handler("""
        try:
            await self.env.CACHE.get("a")
        except Exception as error:
            raise RuntimeError("no cache") from error
    """)

    result = run(shop, source, "await workflow_worker.fetch('/')")

    assert headline(result).startswith("MissingBindingError: env.CACHE.get was used (src/entry.py:12): ")


def test_what_to_write_stands_there_once_and_not_in_the_timeline_again(shop: Any) -> None:
    result = run(shop, in_step("return await self.env.CACHE.get('a')"))

    assert headline(result).startswith("MissingBindingError: env.CACHE.get was used")
    assert result.stdout.str().count('return {"CACHE": FakeCache()}') == 1


def test_several_are_told_together_each_once(shop: Any) -> None:
    source = in_run("""
        for number in range(3):
            for binding in (self.env.CACHE, self.env.DB):
                try:
                    await binding.get(number)
                except Exception:
                    pass
            try:
                await fetch(f"https://x.example.com/{number}")
            except Exception:
                pass
    """)

    text = run(shop, source).stdout.str()

    assert re.findall(r"^E +(?:pytest_workflows.errors.|And )(\w+): (.*?\)): ", text, re.MULTILINE) == [
        ("MissingBindingError", "env.CACHE.get was used (src/entry.py:10)"),
        ("MissingBindingError", "env.DB.get was used (src/entry.py:10)"),
        (
            "NetworkRefusedError",
            "workers.fetch was about to send GET https://x.example.com/0 to the network (src/entry.py:14)",
        ),
    ]


@pytest.mark.parametrize("kind", ["fetch(self, request)", "scheduled(self, controller, env, ctx)"])
def test_a_handler_that_swallows_it_fails_the_test(shop: Any, kind: str) -> None:
    source = in_handler("try:\n    await self.env.CACHE.put('a', '1')\nexcept Exception:\n    pass", kind)
    call = "fetch('/')" if kind.startswith("fetch") else "scheduled()"

    result = run(shop, source, f"await workflow_worker.{call}")

    assert headline(result).startswith("MissingBindingError: env.CACHE.put was used (src/entry.py:12): ")


def test_what_a_handler_raises_the_test_may_expect(shop: Any) -> None:
    result = run(
        shop,
        in_handler("await self.env.CACHE.put('a', '1')"),
        """
        with pytest.raises(MissingBindingError, match="CACHE"):
            await workflow_worker.fetch("/")
        """,
    )

    result.assert_outcomes(passed=1)


def test_background_work_of_a_handler_fails_the_test(shop: Any) -> None:
    source = in_handler("""
        async def later():
            try:
                await self.env.CACHE.put("a", "1")
            except Exception:
                pass
        self.ctx.wait_until(later())
    """)

    result = run(shop, source, "await workflow_worker.fetch('/')\nawait instance.wait_for_status('complete')")

    assert headline(result).startswith("MissingBindingError: env.CACHE.put was used (src/entry.py:")


def test_a_helper_that_a_test_calls_itself_fails_it_where_the_helper_swallows_it(shop: Any) -> None:
    source = in_run("return 1") + textwrap.dedent("""


        async def save(env, *, careful):
            try:
                await env.CACHE.put("a", "1")
            except Exception:
                if not careful:
                    raise
        """)
    shop.write("src/entry.py", source)

    result = shop.run("""
        import pytest
        from entry import save
        from pytest_workflows import MissingBindingError

        async def test_swallowed(workflow_env):
            await save(workflow_env, careful=True)

        async def test_expected(workflow_env):
            with pytest.raises(MissingBindingError):
                await save(workflow_env, careful=False)

        async def test_by_the_test_itself(workflow_env):
            with pytest.raises(MissingBindingError):
                workflow_env.CACHE.get
    """)

    result.assert_outcomes(failed=1, passed=2)
    result.stdout.fnmatch_lines(
        ["E*MissingBindingError: env.CACHE.put was used (src/entry.py:*", "FAILED*test_swallowed*"]
    )


def test_a_fake_that_uses_a_missing_binding_is_told_of_as_well(shop: Any) -> None:
    source = in_step("return await self.env.BANK.charge()")
    shop.write("src/entry.py", source)

    result = shop.run("""
        import pytest
        from workers import env
        from pytest_workflows import introspect_workflow_instance

        class Bank:
            async def charge(self):
                return await env.CACHE.get("a")

        @pytest.fixture
        def workflow_bindings():
            return {"BANK": Bank()}

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.W, "a") as instance:
                await workflow_env.W.create({"id": "a"})
                await instance.wait_for_status("complete")
    """)

    assert headline(result).startswith("MissingBindingError: env.CACHE.get was used (tests/test_it.py:")


def test_what_the_worker_s_module_swallows_while_it_is_imported_fails_the_first_test(shop: Any) -> None:
    source = f"{HEAD}try:\n    CACHE = js.caches.default\nexcept Exception:\n    CACHE = None\n" + in_run(
        "return 1"
    ).removeprefix(HEAD)
    shop.write("src/entry.py", source)
    tests = """
        {top}
        async def test_one(workflow_env):
            await workflow_env.W.create()

        async def test_two(workflow_env):
            await workflow_env.W.create()
    """

    for top in ("import entry", "pass"):
        result = shop.run(tests.format(top=top))

        result.assert_outcomes(failed=1, passed=1)
        result.stdout.fnmatch_lines(
            ["E*MissingNameError: pytest-workflows does not provide js.caches yet (src/entry.py:*", "FAILED*test_one*"]
        )


# -- names of js, pyodide and workers ----------------------------------------------------------------------------------

DETECTED = {
    "import": "try:\n    from js import caches\nexcept ImportError:\n    caches = None",
    "import, broadly": "try:\n    from js import caches\nexcept Exception:\n    caches = None",
    "hasattr": "assert not hasattr(js, 'caches')",
    "getattr": "assert getattr(js, 'caches', None) is None",
    "except AttributeError": "try:\n    js.caches.default\nexcept (AttributeError, TypeError):\n    pass",
    "a name that the platform has not either": "try:\n    js.document.title\nexcept Exception:\n    pass",
    "an undeclared binding": "assert getattr(self.env, 'X', None) is None\nassert not hasattr(self.env, 'Y')",
    "an undeclared binding, read": "try:\n    self.env.X.get('a')\nexcept AttributeError:\n    pass",
    "a declared binding, held": "cache = self.env.CACHE\nassert cache",
}


@pytest.mark.parametrize("body", DETECTED.values(), ids=DETECTED)
def test_looking_for_a_name_is_legal_and_silent(shop: Any, body: str) -> None:
    run(shop, in_step(body)).assert_outcomes(passed=1)


USED = {
    "a call": ("try:\n    js.caches.open('x')\nexcept Exception:\n    pass", "js.caches"),
    "a read": ("try:\n    x = js.caches\nexcept BaseException:\n    pass", "js.caches"),
    "an uncaught read": ("js.caches.open('x')", "js.caches"),
    "an uncaught import": ("from js import caches", "js.caches"),
    "an uncaught module": ("import pyodide.code", "pyodide.code"),
    "an except for it further out": (
        "try:\n    def inner():\n        js.caches.open('x')\nexcept AttributeError:\n    pass\n"
        "try:\n    inner()\nexcept Exception:\n    pass",
        "js.caches",
    ),
}


@pytest.mark.parametrize(("body", "name"), USED.values(), ids=USED)
def test_using_a_name_that_the_platform_has_fails_the_test(shop: Any, body: str, name: str) -> None:
    result = run(shop, in_step(body))

    assert headline(result).startswith(f"MissingNameError: pytest-workflows does not provide {name} yet")


def test_the_lines_that_it_gives_provide_the_name(shop: Any) -> None:
    shop.write("src/entry.py", in_step("from js import caches\nreturn js.caches.default"))

    result = shop.run("""
        import pytest
        from types import SimpleNamespace
        from pytest_workflows import introspect_workflow_instance

        @pytest.fixture(autouse=True)
        def js_caches(monkeypatch):
            monkeypatch.setattr("js.caches", SimpleNamespace(default="mine"), raising=False)

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.W, "a") as instance:
                await workflow_env.W.create({"id": "a"})
                assert await instance.wait_for_step_result("work") == "mine"
    """)

    result.assert_outcomes(passed=1)


# -- relaxing it, and other ways to run a test -------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["marker", "ini"])
def test_ignore_makes_an_error_like_any_other_of_it(shop: Any, by: str) -> None:
    if by == "ini":
        shop.ini(
            "[pytest]\nasyncio_mode = auto\nfilterwarnings = error\nworkflows_unprovided = ignore\n"
            "asyncio_default_fixture_loop_scope = function\n"
        )
    body = """
        await instance.wait_for_status("errored")
        assert [len(step.attempts) for step in instance.steps] == [6]
        with pytest.raises(StepFailedError):
            await instance.wait_for_step_result("work")
    """
    marker = '@pytest.mark.workflow(unprovided="ignore")' if by == "marker" else ""

    run(shop, in_step("await self.env.CACHE.get('a')"), body, marker=marker).assert_outcomes(passed=1)


@pytest.mark.parametrize("value", ["'warn'", "None", "True"])
def test_a_marker_of_another_value_is_refused(shop: Any, value: str) -> None:
    result = run(shop, in_run("return 1"), marker=f"@pytest.mark.workflow(unprovided={value})")

    result.stderr.fnmatch_lines([f"*@pytest.mark.workflow(unprovided=...) takes 'error' or 'ignore', not {value}.*"])


def test_an_ini_of_another_value_is_refused(shop: Any) -> None:
    shop.ini("[pytest]\nasyncio_mode = auto\nworkflows_unprovided = warn\n")

    result = run(shop, in_run("return 1"))

    result.stderr.fnmatch_lines(["*ini option workflows_unprovided takes 'error' or 'ignore', not 'warn'.*"])


@pytest.mark.parametrize("option", ["--workflows-crash", "--workflows-strict", "--workflows-seeds=3"])
def test_there_is_one_report_however_the_test_is_run(shop: Any, option: str) -> None:
    result = run(shop, SWALLOWED["around a step"], "await instance.wait_for_status('complete')", option)

    assert headline(result).startswith("MissingBindingError: env.CACHE.put was used (src/entry.py:")


def test_many_instances_make_one_report(shop: Any) -> None:
    result = run(
        shop,
        SWALLOWED["except Exception in a step"],
        "await workflow_env.W.create_batch([{'id': f'b{n}'} for n in range(20)])\nawait workflow_engine.run_until_idle()",
    )

    assert "And MissingBindingError" not in result.stdout.str()
    assert headline(result).startswith("MissingBindingError: env.CACHE.put was used (src/entry.py:")


def test_a_modification_that_stayed_unused_for_it_is_not_the_headline(shop: Any) -> None:
    source = in_run("""
        try:
            await self.env.CACHE.get("a")
            @step.do("never")
            async def never(): ...
            await never()
        except Exception:
            pass
    """)
    shop.write("src/entry.py", source)

    result = shop.run("""
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.W, "a") as instance:
                async with instance.modify() as m:
                    m.mock_step_result("never", 1)
                await workflow_env.W.create({"id": "a"})
                await instance.wait_for_status("complete")
    """)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*direct cause*", "E*MissingBindingError: env.CACHE.get was used*"])


def test_a_test_that_skips_itself_stays_skipped_and_the_next_one_knows_nothing(shop: Any) -> None:
    shop.write("src/entry.py", SWALLOWED["except BaseException in run"])

    result = shop.run("""
        import pytest

        async def test_skips(workflow_env, workflow_engine):
            await workflow_env.W.create({"id": "a"})
            await workflow_engine.run_until_idle()
            pytest.skip("not today")

        async def test_next(workflow_env):
            assert workflow_env.W
    """)

    result.assert_outcomes(skipped=1, passed=1)


def test_a_replayed_recording_copes(shop: Any) -> None:
    run(shop, SWALLOWED["around a step"]).assert_outcomes(failed=1)
    recordings = shop.path / ".workflows/failures"
    (shop.path / "tests/test_it.py").unlink()

    result = shop.pytester.runpytest(
        "--workflows-replay", str(recordings), "-p", "pytest_workflows.plugin", "-p", "pytest_asyncio.plugin"
    )

    result.assert_outcomes(passed=1)
