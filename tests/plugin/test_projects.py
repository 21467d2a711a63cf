"""Worker projects in one run: each test has the modules of its own project."""

from typing import Any

import pytest

ENTRY = """
    import helper
    from workers import Response, WorkerEntrypoint, WorkflowEntrypoint

    NAME = "{name}"


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            return [NAME, helper.NAME]


    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            return Response(NAME)
"""
CONFIG = """
    {{
      "main": "src/entry.py",
      "vars": {{"NAME": "{name}"}},
      "workflows": [{{"binding": "ORDERS", "name": "{name}", "class_name": "OrderWorkflow"}}]
    }}
"""
TESTS = """
    import entry
    import helper
    from entry import OrderWorkflow
    from workers import env

    async def test_{name}(workflow_env, workflow_worker, workflow_engine):
        import entry as imported_in_the_test

        assert imported_in_the_test is entry
        assert entry.NAME == helper.NAME == env.NAME == "{name}"
        assert await (await workflow_worker.fetch("/")).text() == "{name}"
        handle = await env.ORDERS.create()
        await workflow_engine.run_until_idle()
        assert (await handle.status())["output"] == ["{name}", "{name}"]

    async def test_{name}_patched(workflow_env, workflow_engine, monkeypatch):
        monkeypatch.setattr(entry, "NAME", "patched")
        monkeypatch.setattr("helper.NAME", "patched too")
        handle = await env.ORDERS.create()
        await workflow_engine.run_until_idle()
        assert (await handle.status())["output"] == ["patched", "patched too"]
"""


def write_projects(worker: Any, *names: str) -> None:
    for name in ("wrangler.jsonc", "src/entry.py"):
        (worker.path / name).unlink()
    for name in names:
        worker.write(f"{name}/wrangler.jsonc", CONFIG.format(name=name))
        worker.write(f"{name}/src/entry.py", ENTRY.format(name=name))
        worker.write(f"{name}/src/helper.py", f'NAME = "{name}"\n')
        worker.write(f"{name}/tests/test_{name}.py", TESTS.format(name=name))


def test_two_projects_with_an_equally_named_main_run_side_by_side(worker: Any) -> None:
    write_projects(worker, "shop", "depot")

    worker.run().assert_outcomes(passed=4)


def test_they_may_take_turns(worker: Any) -> None:
    write_projects(worker, "shop", "depot")

    result = worker.run(
        None,
        "shop/tests/test_shop.py::test_shop",
        "depot/tests/test_depot.py::test_depot",
        "shop/tests/test_shop.py::test_shop_patched",
        "depot/tests/test_depot.py::test_depot_patched",
    )

    result.assert_outcomes(passed=4)


def test_they_may_run_in_import_mode_importlib_and_under_xdist(worker: Any) -> None:
    write_projects(worker, "shop", "depot")

    worker.run(None, "--import-mode=importlib").assert_outcomes(passed=4)
    worker.run(None, "-n", "2").assert_outcomes(passed=4)


def test_equally_named_test_files_work_in_import_mode_importlib(worker: Any) -> None:
    write_projects(worker, "shop", "depot")
    for name in ("shop", "depot"):
        (worker.path / f"{name}/tests/test_{name}.py").rename(worker.path / f"{name}/tests/test_it.py")

    worker.run(None, "--import-mode=importlib").assert_outcomes(passed=4)


def test_a_test_file_that_is_named_from_elsewhere_has_its_own_project(worker: Any) -> None:
    write_projects(worker, "shop", "depot")

    worker.run(None, "--rootdir=shop", "shop/tests").assert_outcomes(passed=2)


def test_import_entry_in_a_test_is_the_very_module_that_the_binding_uses(worker: Any) -> None:
    worker.write(
        "src/entry.py",
        """
        import sys
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                return id(sys.modules[__name__])
        """,
    )

    worker.run("""
        import entry

        async def test_it(workflow_env, workflow_engine):
            handle = await workflow_env.ORDERS.create()
            await workflow_engine.run_until_idle()
            assert (await handle.status())["output"] == id(entry)
    """).assert_outcomes(passed=1)


def test_main_is_imported_once_and_only_when_needed(worker: Any) -> None:
    worker.write("src/entry.py", 'print("IMPORTED")\n' + (worker.path / "src/entry.py").read_text())

    result = worker.run(
        """
        import sys

        def test_not_yet(workflow_env):
            assert workflow_env.STAGE == "test"
            assert "entry" not in sys.modules

        def test_now(workflow_env):
            workflow_env.ORDERS

        def test_again(workflow_env):
            workflow_env.ORDERS
            import entry
    """,
        "-s",
    )

    result.assert_outcomes(passed=3)
    assert result.stdout.str().count("IMPORTED") == 1


def test_a_conftest_may_import_entry(worker: Any) -> None:
    conftest = """
        import pytest
        import entry
        from workers import env

        @pytest.fixture
        def of_conftest():
            return entry
    """
    worker.write("conftest.py", conftest)

    tests = """
        import entry

        def test_it(of_conftest, workflow_env):
            assert entry is of_conftest
            workflow_env.ORDERS
    """
    worker.run(tests).assert_outcomes(passed=1)
    (worker.path / "conftest.py").unlink()
    worker.write("tests/conftest.py", conftest)
    worker.run(tests).assert_outcomes(passed=1)
    worker.run(None, "tests/test_it.py::test_it").assert_outcomes(passed=1)


def test_conftests_of_two_projects_may_each_import_their_entry(worker: Any) -> None:
    write_projects(worker, "shop", "depot")
    for name in ("shop", "depot"):
        worker.write(
            f"{name}/tests/conftest.py",
            f"""
            import entry
            import pytest

            @pytest.fixture(autouse=True)
            def entry_of_conftest(workflow_env):
                import entry as now
                assert now is entry
                assert entry.NAME == "{name}"
            """,
        )

    worker.run(None).assert_outcomes(passed=4)


@pytest.mark.parametrize("import_mode", ["prepend", "importlib"])
def test_a_conftest_may_import_entry_where_testpaths_names_its_folder(worker: Any, import_mode: str) -> None:
    write_projects(worker, "shop")
    worker.set(testpaths="shop/tests")
    worker.write("shop/tests/conftest.py", "import entry\n")

    worker.run(None, f"--import-mode={import_mode}").assert_outcomes(passed=2)


def test_a_module_of_that_name_from_elsewhere_is_an_error_that_names_both(worker: Any) -> None:
    worker.write("elsewhere/entry.py", "")
    worker.write("conftest.py", "import sys\nsys.path.insert(0, 'elsewhere')\nimport entry\n")

    result = worker.run("""
        def test_it(workflow_env):
            workflow_env.ORDERS
    """)

    result.assert_outcomes(failed=1)
    assert (
        f"WorkflowConfigError: {worker.path}/wrangler.jsonc:3: main is {worker.path}/src/entry.py, but `import entry` "
        f"gives {worker.path}/elsewhere/entry.py. Two modules of one name cannot be loaded: rename one of them."
        in result.stdout.str().replace("'elsewhere", str(worker.path / "elsewhere"))
    )


def test_after_the_run_nothing_of_a_project_is_left(worker: Any) -> None:
    import sys

    path, meta = list(sys.path), list(sys.meta_path)

    worker.run("""
        import entry
        import workers

        def test_it(workflow_env):
            workflow_env.ORDERS
    """).assert_outcomes(passed=1)

    assert sys.path == path
    assert sys.meta_path == meta
    assert "entry" not in sys.modules


# -- a workflow of another Worker --------------------------------------------------------------------------------------

FOREIGN = """
    {
      "main": "src/entry.py",
      "workflows": [
        {"binding": "ORDERS", "name": "orders", "class_name": "OrderWorkflow"},
        {"binding": "BILLING", "name": "billing", "class_name": "Billing", "script_name": "other-worker"}
      ]
    }
"""


@pytest.fixture
def shop(worker: Any) -> Any:
    worker.write("wrangler.jsonc", FOREIGN)
    return worker


def test_a_foreign_workflow_is_nobody_s_affair_until_it_is_used(shop: Any) -> None:
    shop.run("""
        async def test_it(workflow_env, workflow_engine):
            assert workflow_env.BILLING
            assert list(workflow_engine.bindings) == ["ORDERS"]
            await workflow_env.ORDERS.create({"id": "x"})
            await workflow_engine.run_until_idle()
    """).assert_outcomes(passed=1)


def test_using_a_foreign_workflow_says_how_to_give_it(shop: Any) -> None:
    shop.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                await self.env.BILLING.create()
        """,
    )

    result = shop.run("""
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                await workflow_env.ORDERS.create({"id": "a"})
                await instance.wait_for_status("complete")
    """)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E*MissingBindingError: env.BILLING.create was used (src/entry.py:5): the workflow of the binding 'BILLING' "
            "lives in another Worker, 'other-worker' (*wrangler.jsonc:5): no wrangler configuration of that name was "
            "found in * (found: *). If its source is elsewhere, name its folder in ini workflows_workers. Or give the "
            "test its class, or one that stands in for it, in the test file or in conftest.py:",
            "E*",
            "E*@pytest.fixture",
            "E*def workflow_bindings():",
            'E*return {"BILLING": Billing}',
        ]
    )


def test_a_foreign_workflow_that_is_given_is_bound_as_any_other(shop: Any) -> None:
    shop.run("""
        import pytest
        from workers import WorkflowEntrypoint

        class Billing(WorkflowEntrypoint):
            async def run(self, event, step):
                return 1

        @pytest.fixture
        def workflow_bindings():
            return {"BILLING": Billing}

        async def test_it(workflow_env, workflow_engine):
            assert list(workflow_engine.bindings) == ["ORDERS", "BILLING"]
            assert (await workflow_env.BILLING.create({"id": "x"})).id == "x"
    """).assert_outcomes(passed=1)


def test_introspecting_a_foreign_workflow_says_what_it_is(shop: Any) -> None:
    result = shop.run("""
        from pytest_workflows import introspect_workflow

        async def test_it(workflow_env):
            introspect_workflow(workflow_env.BILLING)
    """)

    result.stdout.fnmatch_lines(
        [
            "E*MissingBindingError: introspect_workflow(env.BILLING) was called: the workflow of the binding 'BILLING' "
            "lives in another Worker, 'other-worker' *"
        ]
    )


# -- python_modules ----------------------------------------------------------------------------------------------------


def test_dependencies_in_python_modules_are_found_behind_everything_else(worker: Any) -> None:
    worker.write("python_modules/vendored_thing/__init__.py", "NAME = 'vendored'\n")
    worker.write("python_modules/json/__init__.py", "raise AssertionError('the one of the library comes first')\n")
    worker.write("python_modules/pyvenv.cfg", "")
    worker.write(
        "src/entry.py",
        """
        import json
        import vendored_thing
        from workers import Response

        async def on_fetch(request):
            return Response(json.dumps(vendored_thing.NAME))
        """,
    )

    worker.run("""
        import sys

        async def test_it(workflow_worker):
            assert await (await workflow_worker.fetch("/")).text() == '"vendored"'
            assert sys.path[-1].endswith("python_modules")
    """).assert_outcomes(passed=1)


def test_each_project_has_python_modules_of_its_own(worker: Any) -> None:
    for name in ("one", "two"):
        worker.write(f"{name}/wrangler.jsonc", '{"main": "src/entry.py"}')
        worker.write(f"{name}/python_modules/vendored_thing.py", f"NAME = {name!r}\n")
        worker.write(f"{name}/src/entry.py", "import vendored_thing\n\nNAME = vendored_thing.NAME\n")
        worker.write(
            f"{name}/tests/test_{name}.py",
            f"""
            import entry

            def test_it(workflow_env):
                assert entry.NAME == {name!r}
            """,
        )

    worker.run(None, "one", "two").assert_outcomes(passed=2)
