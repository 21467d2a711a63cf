"""A worker project: its modules are importable while it is active, and its own."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.project.worker_project import Project, ProjectSwitcher

CONFIG = """{
  "main": "src/entry.py",
  "workflows": [
    {"binding": "ORDERS", "name": "orders", "class_name": "OrderWorkflow"}
  ]
}
"""
ENTRY = """
class OrderWorkflow:
    async def run(self, event, step): ...

class RefundWorkflow:
    async def run(self, event, step): ...
"""


@pytest.fixture(autouse=True)
def _interpreter_as_it_was() -> Iterator[None]:
    path, modules = list(sys.path), dict(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - set(modules):
        del sys.modules[name]
    sys.modules.update(modules)


def project_at(folder: Path, config: str = CONFIG, entry: str = ENTRY) -> Project:
    (folder / "src").mkdir(parents=True)
    (folder / "wrangler.jsonc").write_text(config)
    (folder / "src/entry.py").write_text(entry)
    return Project(folder / "wrangler.jsonc")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = project_at(tmp_path)
    project.activate()
    yield project
    project.deactivate()


def error_of(project: Project) -> str:
    """What looking for the class of the first workflow fails with, the folder cut off."""
    with pytest.raises(WorkflowConfigError) as caught:
        project.workflow_class(project.config.workflows[0])
    return str(caught.value).replace(f"{project.path.parent}/", "")


# -- importing -------------------------------------------------------------------------------------


def test_main_is_the_very_module_that_a_test_imports(project: Project) -> None:
    entry = importlib.import_module("entry")

    assert project.load_main() is entry
    assert project.workflow_class(project.config.workflows[0]) is entry.OrderWorkflow


def test_the_folder_of_main_comes_first(project: Project, tmp_path: Path) -> None:
    assert sys.path[0] == str(tmp_path / "src")


def test_an_exception_in_main_is_raised_as_it_is_and_main_is_not_kept_half_imported(tmp_path: Path) -> None:
    project = project_at(tmp_path, entry="raise ZeroDivisionError('in main')")
    project.activate()

    for _ in range(2):
        with pytest.raises(ZeroDivisionError, match="in main") as caught:
            project.load_main()
        assert caught.traceback[-1].path == tmp_path / "src/entry.py"
        assert "entry" not in sys.modules


def test_a_main_that_does_not_exist_is_an_error(project: Project, tmp_path: Path) -> None:
    (tmp_path / "src/entry.py").unlink()

    assert error_of(project) == (
        "wrangler.jsonc:2: the configuration names main 'src/entry.py', which does not exist. Write "
        'there the path of the Worker\'s module, such as "main": "src/entry.py".'
    )


def test_a_module_of_the_same_name_from_another_file_is_an_error(project: Project, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "entry.py").touch()
    sys.path.insert(0, str(other))
    importlib.import_module("entry")

    assert error_of(project) == (
        "wrangler.jsonc:2: main is src/entry.py, but `import entry` gives other/entry.py. "
        "Two modules of one name cannot be loaded: rename one of them."
    )


# -- the class of a workflow -----------------------------------------------------------------------


def test_a_class_that_main_does_not_have_is_an_error_with_the_closest_match(tmp_path: Path) -> None:
    project = project_at(tmp_path, CONFIG.replace("OrderWorkflow", "OrdersWorkflow"))
    project.activate()

    assert error_of(project) == (
        "wrangler.jsonc:4: src/entry.py has no class 'OrdersWorkflow'. Did you mean 'OrderWorkflow'? "
        "It has: OrderWorkflow, RefundWorkflow."
    )


def test_what_is_no_class_is_an_error(tmp_path: Path) -> None:
    project = project_at(tmp_path, entry="OrderWorkflow = 5")
    project.activate()

    assert error_of(project) == (
        "wrangler.jsonc:4: 'OrderWorkflow' in src/entry.py is no class: 5. "
        "A workflow is a subclass of workers.WorkflowEntrypoint."
    )


def test_a_class_without_run_is_an_error(tmp_path: Path) -> None:
    project = project_at(tmp_path, entry="class OrderWorkflow: ...")
    project.activate()

    assert error_of(project) == (
        "wrangler.jsonc:4: the class OrderWorkflow in src/entry.py has no method `run`. "
        "Add `async def run(self, event, step)` to it."
    )


# -- several projects ------------------------------------------------------------------------------


@pytest.fixture
def switcher(tmp_path: Path) -> Iterator[ProjectSwitcher]:
    for name in ("one", "two"):
        project_at(tmp_path / name)
        (tmp_path / name / "src/helper.py").touch()
        (tmp_path / name / "tests").mkdir()
    switcher = ProjectSwitcher(tmp_path, None, None)
    yield switcher
    switcher.close()


def test_a_project_is_the_same_object_for_every_file_of_it(switcher: ProjectSwitcher, tmp_path: Path) -> None:
    project = switcher.activate_for(tmp_path / "one/tests/test_it.py")

    assert project is not None
    assert project.path == tmp_path / "one/wrangler.jsonc"
    assert switcher.activate_for(tmp_path / "one/tests") is project


def test_each_project_gets_its_own_modules_and_the_same_again_when_it_comes_back(
    switcher: ProjectSwitcher, tmp_path: Path
) -> None:
    switcher.activate_for(tmp_path / "one/tests")
    entry, helper = importlib.import_module("entry"), importlib.import_module("helper")

    switcher.activate_for(tmp_path / "two/tests")
    other = importlib.import_module("entry")
    assert other.__file__ == str(tmp_path / "two/src/entry.py")
    assert "helper" not in sys.modules

    switcher.activate_for(tmp_path / "one/tests")
    assert importlib.import_module("entry") is entry
    assert importlib.import_module("helper") is helper


def test_namespace_packages_of_a_project_are_its_own_and_installed_packages_are_not(
    switcher: ProjectSwitcher, tmp_path: Path
) -> None:
    source = tmp_path / "one/src"
    (source / "shared").mkdir()
    (source / "shared/part.py").touch()
    (source / ".venv/site-packages").mkdir(parents=True)
    (source / ".venv/site-packages/installed.py").touch()
    switcher.activate_for(tmp_path / "one")
    sys.path.append(str(source / ".venv/site-packages"))
    for name in ("shared.part", "installed"):
        importlib.import_module(name)

    switcher.activate_for(tmp_path / "two")

    assert not {"shared", "shared.part"} & set(sys.modules)
    assert "installed" in sys.modules


def test_closing_leaves_the_interpreter_as_it_was(switcher: ProjectSwitcher, tmp_path: Path) -> None:
    path = list(sys.path)
    switcher.activate_for(tmp_path / "one")
    importlib.import_module("entry")

    switcher.close()
    switcher.close()

    assert sys.path == path
    assert "entry" not in sys.modules


def test_without_a_config_there_is_no_project(tmp_path: Path) -> None:
    assert ProjectSwitcher(tmp_path, None, None).activate_for(tmp_path) is None


def test_a_broken_config_is_an_error_only_for_who_reads_it(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text("main = \n")

    project = ProjectSwitcher(tmp_path, None, None).activate_for(tmp_path)

    assert project is not None
    for _ in range(2):
        with pytest.raises(WorkflowConfigError, match=r"wrangler\.toml:1: this is no valid TOML"):
            assert project.config


def test_a_broken_config_that_ini_names_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text("main = \n")

    with pytest.raises(WorkflowConfigError, match=r"wrangler\.toml:1: this is no valid TOML"):
        ProjectSwitcher(tmp_path, "wrangler.toml", None).activate_for(tmp_path)


def test_the_environment_of_ini_holds(tmp_path: Path) -> None:
    project_at(tmp_path, '{"env": {"staging": {"vars": {"STAGE": "staging"}}}}')

    project = ProjectSwitcher(tmp_path, None, "staging").activate_for(tmp_path)

    assert project is not None
    assert project.config.vars == {"STAGE": "staging"}


def test_a_folder_that_was_importable_before_stays_so_at_its_place(tmp_path: Path) -> None:
    project = project_at(tmp_path)
    sys.path.append(str(tmp_path / "src"))
    before = list(sys.path)

    project.activate()
    assert sys.path[0] == str(tmp_path / "src")
    assert sys.path.count(str(tmp_path / "src")) == 1
    project.deactivate()

    assert sys.path == before


def test_outside_any_project_none_is_active(switcher: ProjectSwitcher, tmp_path: Path) -> None:
    switcher.activate_for(tmp_path / "one")

    assert switcher.activate_for(tmp_path) is None
    assert str(tmp_path / "one/src") not in sys.path


def test_a_config_that_is_no_text_is_an_error_only_for_who_reads_it(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_bytes(b"# K\xf6ln")

    project = ProjectSwitcher(tmp_path, None, None).activate_for(tmp_path)

    assert project is not None
    with pytest.raises(WorkflowConfigError, match=r"wrangler\.toml:1: this cannot be read"):
        assert project.config


def test_a_worker_in_another_language_leaves_the_interpreter_alone(tmp_path: Path) -> None:
    path = list(sys.path)
    project = project_at(tmp_path, CONFIG.replace("entry.py", "index.ts"))
    (tmp_path / "src/index.ts").touch()

    project.activate()

    assert sys.path == path
    assert error_of(project) == (
        "wrangler.jsonc:2: main is src/index.ts, no Python module. Its workflows cannot run here; give "
        "stand-ins through the fixture workflow_bindings."
    )


def test_switching_touches_no_lazy_module(switcher: ProjectSwitcher, tmp_path: Path) -> None:
    class Lazy(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise RuntimeError(f"{name} was touched")

    sys.modules["lazy_one"] = Lazy("lazy_one")
    switcher.activate_for(tmp_path / "one")
    switcher.activate_for(tmp_path / "two")

    assert "lazy_one" in sys.modules


def test_switching_bears_what_only_says_that_it_is_a_module(switcher: ProjectSwitcher, tmp_path: Path) -> None:
    class Library:  # as cffi's: an entry of sys.modules
        __slots__ = ()
        __class__ = ModuleType  # type: ignore[assignment]

    sys.modules["a_library"] = Library()  # type: ignore[assignment]
    switcher.activate_for(tmp_path / "one")
    switcher.activate_for(tmp_path / "two")

    assert "a_library" in sys.modules


# -- no configuration ------------------------------------------------------------------------------


def test_without_a_configuration_a_missing_binding_says_where_one_was_looked_for(worker):
    (worker.path / "wrangler.jsonc").unlink()

    result = worker.run("async def test_it(workflow_env):\n    await workflow_env.ORDERS.create()\n")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *AttributeError: workers.env has no binding 'ORDERS'. Bindings of this test: none. No wrangler "
            "configuration was found: wrangler.json, wrangler.jsonc and wrangler.toml were looked for in "
            f"{worker.path}/tests, {worker.path}. Put one beside the Worker, above its tests, or name it: ini "
            "workflows_config = path/to/wrangler.jsonc. Or give the binding through the fixture workflow_bindings."
        ]
    )


def test_a_configuration_in_a_folder_beside_the_tests_is_named(worker):
    (worker.path / "shop").mkdir()
    (worker.path / "wrangler.jsonc").rename(worker.path / "shop/wrangler.jsonc")

    result = worker.run("async def test_it(workflow_env):\n    await workflow_env.ORDERS.create()\n")

    result.stdout.fnmatch_lines(
        [
            "E *There is shop/wrangler.jsonc. Put one *, or name it: ini workflows_config = shop/wrangler.jsonc. Or give *"
        ]
    )


def test_an_object_among_the_modules_that_only_says_that_it_is_one_has_no_places():
    from types import ModuleType

    from pytest_workflows.project.worker_project import _places_of

    class Library:
        __slots__ = ()
        __class__ = ModuleType

    assert isinstance(Library(), ModuleType)
    assert _places_of(Library()) == []
