from pathlib import Path

import pytest

from .conftest import World


def test_a_package_of_the_test_environment_alone_is_named_with_its_group(world: World) -> None:
    world.declare(more='[dependency-groups]\ndev = ["rich-lib"]\n')
    world.install("Rich-Lib", "rich_lib/__init__.py")

    assert world.said("rich_lib.sub") == (
        "[not-deployed] `import rich_lib.sub` is answered by Rich-Lib of the test environment, which the dependencies of "
        "[project] in pyproject.toml neither name nor need; it is in the group 'dev', which is not deployed"
    )


def test_an_extra_is_not_deployed_either(world: World) -> None:
    world.declare(more='[project.optional-dependencies]\nfast = ["rich-lib>=1"]\n')
    world.install("rich-lib", "rich_lib.py")

    assert str(world.said("rich_lib")).endswith("it is in the extra 'fast', which is not deployed")


def test_a_declared_package_is_deployed_by_whatever_name_its_modules_have(world: World) -> None:
    world.declare("py.YAML>=1")
    world.install("Py-Yaml", "yaml/__init__.py", "yaml/nodes.py", "_yaml.py")

    assert world.said("yaml.nodes") is None
    assert world.said("_yaml") is None


def test_what_a_declared_package_needs_is_deployed_at_any_depth(world: World) -> None:
    world.declare("top")
    world.install("top", "top.py", requires=["middle[more]"])
    world.install("middle", "middle.py", requires=['bottom; extra == "more"', 'other; extra == "less"'])
    world.install("bottom", "bottom.py")
    world.install("other", "other.py")

    assert [world.said(one) for one in ("top", "middle", "bottom")] == [None, None, None]
    assert str(world.said("other")).startswith("[not-deployed]")


def test_markers_are_those_of_the_platform(world: World) -> None:
    world.declare(
        "here; sys_platform == 'emscripten'", "there; sys_platform == 'linux'", "young; python_version < '3.14'"
    )
    for name in ("here", "there", "young"):
        world.install(name, f"{name}.py")

    assert world.said("here") is None
    assert world.said("there") is not None
    assert world.said("young") is not None

    world.configure(compatibility_date="2026-01-01")  # Python 3.13

    assert world.said("young") is None


def test_the_markers_of_what_is_needed_are_those_of_the_platform_too(world: World) -> None:
    world.declare("top")
    world.install(
        "top", "top.py", requires=["native; sys_platform != 'emscripten'", "pure; sys_platform == 'emscripten'"]
    )
    world.install("native", "native.py")
    world.install("pure", "pure.py")

    assert world.said("pure") is None
    assert world.said("native") is not None


def test_a_marker_that_compares_what_cannot_be_compared_is_taken_to_hold(world: World) -> None:
    world.declare("rich-lib; python_version ~= 'x'", "old; platform_release >= '20'")
    world.install("rich-lib", "rich_lib.py")

    assert world.said("rich_lib") is None
    assert world.deployment.has("old") in (True, False)


def test_packages_that_need_each_other_come_to_an_end(world: World) -> None:
    world.declare("one")
    world.install("one", "one.py", requires=["two"])
    world.install("two", "two.py", requires=["one"])

    assert world.said("two") is None


def test_each_package_of_a_shared_namespace_is_judged_by_itself(world: World) -> None:
    world.declare("cloud-storage")
    world.install("cloud-storage", "cloud/storage/__init__.py")
    world.install("cloud-vision", "cloud/vision/__init__.py")
    world.install("cloud-deep", "cloud/deep/down/below.py")

    assert world.said("cloud.storage") is None
    assert world.said("cloud", "storage") is None
    assert "cloud-vision" in str(world.said("cloud.vision"))
    assert "cloud-vision" in str(world.said("cloud", "storage", "vision"))
    assert "cloud-deep" in str(world.said("cloud.deep.down.below"))
    assert "cloud-deep" in str(world.said("cloud.deep.down", "below"))
    assert world.said("cloud") is None
    assert world.said("cloud", "no_such_module") is None


@pytest.mark.parametrize("module", ["json", "asyncio.tasks", "workers", "js", "pyodide.ffi", "asgi", "no_such_module"])
def test_the_standard_library_and_the_platforms_own_are_there(world: World, module: str) -> None:
    world.declare()

    assert world.said(module) is None


def test_the_workers_own_modules_and_folders_are_there(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.declare()
    monkeypatch.syspath_prepend(world.folder / "src")
    world.write("src/helper.py", "")
    world.write("src/parts/one.py", "")

    assert world.said("helper") is None
    assert world.said("parts.one") is None


def test_a_module_of_the_repository_outside_of_mains_folder_is_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare()
    file = world.write("shared_code.py", "")
    monkeypatch.syspath_prepend(world.folder)

    assert world.said("shared_code") == (
        f"[not-deployed] `import shared_code` is answered by {file}, and what is deployed by that name must lie in "
        f"{world.folder / 'src'}"
    )


def test_base_dir_widens_the_folder(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.declare()
    world.write("shared_code.py", "")
    world.configure(base_dir=".")
    monkeypatch.syspath_prepend(world.folder)

    assert world.said("shared_code") is None


def test_a_package_that_is_installed_from_its_source_is_known_by_its_folder(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "libs" / "sibling"
    source.mkdir(parents=True)
    (source / "sibling.py").write_text("")
    monkeypatch.syspath_prepend(source)
    world.install("sibling", url={"url": source.as_uri(), "dir_info": {"editable": True}})
    world.declare()

    assert "answered by sibling of the test environment" in str(world.said("sibling"))

    world.declare("sibling")

    assert world.said("sibling") is None


def test_an_installers_links_to_its_cache_do_not_matter(world: World, tmp_path: Path) -> None:
    world.declare("linked")
    world.install("linked", "linked.py", "whole/__init__.py")
    cache = tmp_path / "cache"
    cache.mkdir()
    for name in ("linked.py", "whole"):
        (world.installed / name).rename(cache / name)
        (world.installed / name).symlink_to(cache / name)

    assert world.said("linked") is None
    assert world.said("whole") is None


def test_an_environment_behind_a_link_is_the_same(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare("lib")
    world.install("lib", "lib.py", into=tmp_path / "real" / "site-packages")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.syspath_prepend(tmp_path / "real" / "site-packages")
    monkeypatch.syspath_prepend(tmp_path / "link" / "site-packages")

    assert world.said("lib") is None


def test_the_project_itself_as_an_installed_package_brings_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare()
    world.write("lib/worker_lib.py", "")
    monkeypatch.syspath_prepend(world.folder / "lib")
    world.install("worker", url={"url": world.folder.as_uri(), "dir_info": {"editable": True}})

    assert "what is deployed by that name must lie in" in str(world.said("worker_lib"))


def test_a_tests_stand_in_for_a_declared_package_is_left_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write("tests/stubs/stripe.py", "")
    monkeypatch.syspath_prepend(world.folder / "tests" / "stubs")
    world.declare("Stripe>=1")

    assert world.said("stripe") is None

    world.declare()

    assert world.said("stripe") is not None


def test_an_object_in_sys_modules_is_left_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.declare()
    world.install("stripe", "stripe.py")
    monkeypatch.setitem(__import__("sys").modules, "stripe", object())

    assert world.said("stripe") is None


# -- where it is declared ------------------------------------------------------------------------------------------


def test_nothing_is_said_where_nothing_says_what_is_deployed(world: World) -> None:
    world.install("rich-lib", "rich_lib.py")

    assert world.said("rich_lib") is None
    assert world.deployment.has("rich-lib") is None

    world.write("pyproject.toml", "[tool.pytest.ini_options]\n")

    assert world.said("rich_lib") is None

    world.write("pyproject.toml", '[project]\nname = "it"\ndynamic = ["dependencies"]\n')

    assert world.said("rich_lib") is None

    world.write("pyproject.toml", "not = toml = at all")

    assert world.said("rich_lib") is None


def test_the_nearest_pyproject_is_read_up_to_the_repositorys_root(world: World) -> None:
    world.install("rich-lib", "rich_lib.py")
    outer = world.folder.parent / "pyproject.toml"
    outer.write_text('[project]\nname = "outer"\nversion = "0"\n')

    assert world.said("rich_lib") is not None

    world.write("pyproject.toml", "")

    assert world.said("rich_lib") is None

    (world.folder / "pyproject.toml").unlink()
    (world.folder / ".git").mkdir()

    assert world.said("rich_lib") is None


def test_whether_a_package_is_deployed_can_be_asked(world: World) -> None:
    world.declare("tz.data")

    assert world.deployment.has("tz-data") is True
    assert world.deployment.has("workers_runtime_sdk") is True
    assert world.deployment.has("rich-lib") is False

    (world.folder / "python_modules" / "rich_lib").mkdir(parents=True)  # without metadata

    assert world.deployment.has("rich-lib") is True


# -- python_modules ------------------------------------------------------------------------------------------------


def test_what_is_in_python_modules_is_deployed(world: World) -> None:
    world.declare()
    world.install("rich-lib", "rich_lib.py")
    world.install("other-lib", "other_lib.py")
    world.install("rich-lib", "rich_lib.py", into=world.folder / "python_modules")
    world.write("python_modules/by_hand.py", "")

    assert world.said("rich_lib") is None
    assert world.said("by_hand") is None
    assert world.said("other_lib") is not None


def test_python_modules_alone_says_what_is_deployed(world: World) -> None:
    world.install("other-lib", "other_lib.py")
    world.write("python_modules/.synced", "")
    world.write("python_modules/pyvenv.cfg", "")

    assert world.said("other_lib") is None

    world.write("python_modules/by_hand.py", "")

    assert world.said("other_lib") == (
        "[not-deployed] `import other_lib` is answered by other-lib of the test environment, which is not in "
        "python_modules"
    )
