"""What the platform refuses to a Worker that another Worker's test reaches."""

import json

import pytest

SERVICES = ("billing", "early", "broken")
SHOP = """
from workers import WorkflowEntrypoint


class W(WorkflowEntrypoint):
    async def run(self, event, step):
        @step.do("ask", config={"retries": {"limit": 0, "delay": 1}})
        async def ask():
            return await getattr(self.env, event["payload"]).zone()

        return await ask()
"""
OTHER = """
from zoneinfo import ZoneInfo

from workers import WorkerEntrypoint

AT_TOP = {top}


class Default(WorkerEntrypoint):
    async def zone(self):
        return [AT_TOP, str(ZoneInfo("Europe/Rome"))]
"""
TESTS = """
import zoneinfo

import pytest
from pytest_workflows import introspect_workflow_instance


async def outcome(workflow_env, name):
    async with introspect_workflow_instance(workflow_env.W, "a") as instance:
        await workflow_env.W.create({"id": "a", "params": name})
        await instance.wait_for_status("errored" if name != "BILLING" else "complete")
        return await (instance.get_output if name == "BILLING" else instance.get_error)()


async def test_a_package_is_deployed_with_the_worker_that_declares_it(workflow_env):
    assert await outcome(workflow_env, "BILLING") == ["Europe/Berlin", "Europe/Rome"]


async def test_a_worker_starts_in_no_request_of_another_one(workflow_env):
    assert "Randomness is not allowed" in (await outcome(workflow_env, "EARLY"))["message"]


async def test_an_error_of_an_import_is_no_missing_binding(workflow_env):
    with pytest.raises(KeyError, match="^'SETTING'$"):
        workflow_env.BROKEN
    assert "SETTING" in (await outcome(workflow_env, "BROKEN"))["message"]
"""


def test_each_worker_is_judged_by_what_is_its_own(pytester: pytest.Pytester) -> None:
    pytester.makefile(
        ".ini",
        pytest="[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
        "workflows_workers = apps/*\n",
    )
    tops = {
        "billing": 'str(ZoneInfo("Europe/Berlin"))',
        "early": "__import__('uuid').uuid4()",
        "broken": "{}['SETTING']",
    }
    workflow = {"binding": "W", "name": "w", "class_name": "W"}
    for name in ("shop", *SERVICES):
        source = pytester.path / "apps" / name / "src"
        source.mkdir(parents=True)
        source.joinpath("entry.py").write_text(OTHER.format(top=tops[name]) if name in tops else SHOP)
        configuration = {"name": name, "main": "src/entry.py", "compatibility_date": "2026-11-10"}
        if name == "shop":
            services = [{"binding": one.upper(), "service": one} for one in SERVICES]
            configuration |= {"workflows": [workflow], "services": services}
        source.with_name("wrangler.jsonc").write_text(json.dumps(configuration))
        needed = '"tzdata"' if name == "billing" else ""
        source.with_name("pyproject.toml").write_text(f'[project]\nname = "{name}"\ndependencies = [{needed}]\n')
    pytester.path.joinpath("apps/shop/test_it.py").write_text(TESTS)

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-W", "default")

    result.assert_outcomes(passed=3)
    [found] = [line for line in result.outlines if "[not-on-platform]" in line]
    assert "early/src/entry.py:6: `os.urandom before the first request`" in found
