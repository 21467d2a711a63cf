"""The import hook: what is served while pytest runs, and what is left behind."""

from __future__ import annotations

import importlib
import subprocess
import sys
from types import ModuleType

import pytest

from pytest_workflows.errors import MissingNameError
from pytest_workflows.project import importer

NAMES = [
    *("workers", "workers.asgi", "workers.blob", "workers.entrypoints", "workers.formdata", "workers.gateway"),
    *("workers.request", "workers.response", "workers.rpc", "workers.types", "workers.utils", "workers.workflows"),
    *("workers.wsgi", "asgi"),
]
SHIMS = ["js", "pyodide", "pyodide.ffi", "pyodide.http", "pyodide.webloop"]


@pytest.fixture
def hook(monkeypatch):
    """A hook of this test's own, and no platform module loaded: the running session's stays out of the way."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("workers", "js", "pyodide")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [f for f in sys.meta_path if type(f).__module__ != importer.__name__])
    own = importer._Hook()
    yield own
    for name in [name for name in sys.modules if name.partition(".")[0] in ("workers", "js", "pyodide")]:
        del sys.modules[name]


def in_a_fresh_interpreter(source):
    return subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("name", NAMES + SHIMS)
def test_a_name_of_the_platform_is_served_by_a_module_of_ours(hook, name):
    hook.install()

    module = importlib.import_module(name)

    assert module.__name__.startswith("pytest_workflows.workers")
    assert module is sys.modules[module.__name__]
    assert module.__spec__.name == module.__name__


def test_sources_and_the_plugin_share_their_classes(hook):
    hook.install()
    from workers import WorkflowEntrypoint
    from workers.workflows import NonRetryableError

    import durable_engine
    import pytest_workflows.workers

    assert WorkflowEntrypoint is pytest_workflows.workers.WorkflowEntrypoint
    assert NonRetryableError is durable_engine.NonRetryableError


def test_nothing_is_served_before_install_and_after_uninstall(hook):
    with pytest.raises(ModuleNotFoundError, match="No module named 'workers'"):
        importlib.import_module("workers")

    hook.install()
    importlib.import_module("workers.workflows")
    hook.uninstall()

    with pytest.raises(ModuleNotFoundError, match="No module named 'workers'"):
        importlib.import_module("workers")


def test_an_inner_session_does_not_end_the_outer_one(hook):
    hook.install()
    hook.install()
    hook.uninstall()

    assert importlib.import_module("workers").__name__ == "pytest_workflows.workers"


def test_a_package_that_was_there_gives_way_and_comes_back(hook, monkeypatch):
    stub, child = ModuleType("workers"), ModuleType("workers.workflows")
    monkeypatch.setitem(sys.modules, "workers", stub)
    monkeypatch.setitem(sys.modules, "workers.workflows", child)

    hook.install()
    assert importlib.import_module("workers") is not stub
    assert importlib.import_module("workers.workflows") is not child
    hook.uninstall()

    assert sys.modules["workers"] is stub
    assert sys.modules["workers.workflows"] is child


def test_an_installed_package_is_found_again_after_uninstall(hook, tmp_path, monkeypatch):
    (tmp_path / "workers.py").write_text("INSTALLED = True\n")
    monkeypatch.syspath_prepend(tmp_path)

    hook.install()
    assert not hasattr(importlib.import_module("workers"), "INSTALLED")
    hook.uninstall()

    assert importlib.import_module("workers").INSTALLED


def test_uninstall_leaves_the_finders_as_they_were(hook):
    before = list(sys.meta_path)

    hook.install()
    hook.uninstall()

    assert sys.meta_path == before


def test_uninstall_bears_a_restored_meta_path(hook):
    before = list(sys.meta_path)
    hook.install()
    sys.meta_path[:] = before

    hook.uninstall()

    assert sys.meta_path == before


def test_installing_loads_neither_the_sdk_nor_httpx():
    loaded = in_a_fresh_interpreter(
        "import sys\n"
        "from pytest_workflows import importer\n"
        "importer.install()\n"
        "print([name for name in ('pytest_workflows.workers', 'httpx', 'durable_engine') if name in sys.modules])"
    )

    assert loaded == "[]"


def test_a_worker_that_only_defines_workflows_does_not_load_httpx():
    loaded = in_a_fresh_interpreter(
        "import sys\n"
        "from pytest_workflows import importer\n"
        "importer.install()\n"
        "from workers import WorkflowEntrypoint, env, handler\n"
        "from workers.workflows import NonRetryableError\n"
        "print('httpx' in sys.modules)"
    )

    assert loaded == "False"


def test_a_name_of_the_runtime_that_is_missing_says_so(hook):
    hook.install()

    with pytest.raises(ImportError) as caught:
        from js import HTMLRewriter  # noqa: F401

    text = str(caught.value)
    assert text.startswith("pytest-workflows does not provide js.HTMLRewriter yet. js provides here: ")
    assert text.endswith(
        ". Give the test a stand-in for it, before the Worker uses it:\n"
        "\n"
        "    @pytest.fixture(autouse=True)\n"
        "    def js_HTMLRewriter(monkeypatch):\n"
        '        monkeypatch.setattr("js.HTMLRewriter", ..., raising=False)'
    )
    assert isinstance(caught.value, MissingNameError)


def test_a_missing_name_can_be_asked_for_with_hasattr(hook):
    hook.install()
    import js

    assert not hasattr(js, "HTMLRewriter")


def test_a_name_that_the_sdk_does_not_have_is_no_promise(hook):
    hook.install()

    with pytest.raises(
        ImportError, match=r"^module 'workers' has no attribute 'Respnse'\. It provides: Blob, BlobEnding, "
    ):
        from workers import Respnse  # noqa: F401


def test_a_module_that_the_sdk_does_not_have_is_no_promise(hook):
    hook.install()

    with pytest.raises(ModuleNotFoundError, match=r"^module 'workers' has no attribute 'agsi'\."):
        import workers.agsi  # noqa: F401


def test_the_sdk_s_modules_are_there_under_both_names(hook):
    hook.install()

    import asgi
    from workers import asgi as of_workers

    assert asgi is of_workers
    assert asgi.Options().response_init() == {}


def test_a_worker_s_own_module_asgi_comes_first(hook, tmp_path, monkeypatch):
    (tmp_path / "asgi.py").write_text("mine = True")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "asgi", raising=False)
    hook.install()

    import asgi

    monkeypatch.delitem(sys.modules, "asgi")
    assert asgi.mine


def test_a_missing_name_of_pyodide_says_what_there_is(hook):
    hook.install()

    with pytest.raises(ImportError) as caught:
        from pyodide.ffi import JsWeakRef  # noqa: F401

    assert str(caught.value).startswith(
        "pytest-workflows does not provide pyodide.ffi.JsWeakRef yet. pyodide.ffi provides here: "
    )
    with pytest.raises(ModuleNotFoundError, match=r"^pytest-workflows does not provide pyodide\.code yet\. ") as caught:
        import pyodide.code  # noqa: F401
    assert str(caught.value).endswith(
        ". Give the test a module in its place, before the Worker imports it:\n"
        "\n"
        "    @pytest.fixture(autouse=True)\n"
        "    def pyodide_code(monkeypatch):\n"
        '        monkeypatch.setitem(sys.modules, "pyodide.code", ...)'
    )


def test_every_public_name_is_there(hook):
    hook.install()
    for name in (*NAMES, *SHIMS):
        module = importlib.import_module(name)
        assert [public for public in module.__all__ if not hasattr(module, public)] == []


def test_a_pytest_session_inside_this_one_leaves_the_hook_in_place(pytester):
    importer.install()
    try:
        outer = importlib.import_module("workers")
        pytester.makeconftest(
            """
            from pytest_workflows import importer

            def pytest_configure():
                importer.install()

            def pytest_unconfigure():
                importer.uninstall()
            """
        )
        pytester.makepyfile(
            """
            def test_the_sdk_is_served():
                from workers.workflows import NonRetryableError
            """
        )

        result = pytester.runpytest_inprocess("-o", "asyncio_default_fixture_loop_scope=function")
        result.assert_outcomes(passed=1)

        assert importlib.import_module("workers") is outer
        assert importlib.import_module("workers.workflows").__name__ == "pytest_workflows.workers.workflows"
    finally:
        importer.uninstall()
