from itertools import count
from typing import Any

import pytest

from pytest_workflows.deployment.builds import builds_for

from .conftest import World

NATIVE = "cp314-cp314-manylinux_2_17_x86_64"


def test_a_pure_package_can_be_installed(world: World) -> None:
    world.declare("pure")
    world.install("pure", "pure.py", tag="py2.py3-none-any")

    assert world.said("pure") is None


def test_a_package_built_for_this_machine_cannot(world: World) -> None:
    world.declare("fast-loop")
    world.install("fast-loop", "fast_loop.py", tag=NATIVE)

    assert world.said("fast_loop") == (
        f"[no-pyodide-build] `import fast_loop`: fast-loop as installed here is built for {NATIVE}, and Pyodide 314.0.7 "
        "has no build of it"
    )


def test_a_package_that_pyodide_has_a_build_of_can_be_installed(world: World) -> None:
    world.declare("numpy")
    world.install("numpy", "numpy/__init__.py", tag=NATIVE)

    assert world.said("numpy") is None


@pytest.mark.parametrize(
    ("date", "is_there"), [("2026-11-10", True), ("2026-01-01", False), ("2025-01-01", False)], ids=str
)
def test_the_builds_are_those_of_the_pyodide_that_the_date_means(world: World, date: str, is_there: bool) -> None:
    world.declare("psycopg")  # 314.0.7 alone has it
    world.install("psycopg", "psycopg.py", tag=NATIVE)
    world.configure(compatibility_date=date)

    assert (world.said("psycopg") is None) == is_there


def test_a_build_that_the_declared_versions_exclude_is_none(world: World) -> None:
    world.declare("numpy>=99")
    world.install("numpy", "numpy/__init__.py", tag=NATIVE)

    built = builds_for((3, 14)).packages["numpy"]
    assert str(world.said("numpy")).endswith(f", and Pyodide 314.0.7 has numpy {built}, where numpy>=99 is asked for")


def test_what_a_package_needs_must_be_installable_too(world: World) -> None:
    world.declare("top")
    world.install("top", "top.py", requires=["middle"])
    world.install("middle", "middle.py", requires=["native"])
    world.install("native", "native.py", tag=NATIVE)

    assert str(world.said("top")).startswith(
        "[no-pyodide-build] `import top`: top needs middle; middle needs native; native as installed here is built for"
    )


def test_what_is_needed_on_other_platforms_alone_does_not_count(world: World) -> None:
    world.declare("top")
    world.install("top", "top.py", requires=["native; platform_machine == 'x86_64'"])
    world.install("native", "native.py", tag=NATIVE)

    assert world.said("top") is None


def test_a_package_that_is_known_to_have_a_pure_wheel_as_well_can_be_installed(world: World) -> None:
    world.declare("websockets")
    world.install("websockets", "websockets.py", tag=NATIVE)

    assert world.said("websockets") is None


def test_nothing_is_said_of_a_package_that_no_wheel_installed(world: World) -> None:
    world.declare("by-hand")
    world.install("by-hand", "by_hand.py", tag=None)

    assert world.said("by_hand") is None


def test_python_modules_may_hold_what_is_built_for_pyodide_and_nothing_else(world: World) -> None:
    folder = world.folder / "python_modules"
    world.install("good", "good.py", tag="cp314-cp314-pyemscripten_2026_0_wasm32", into=folder)
    world.install("pure", "pure.py", into=folder)
    world.install("bad", "bad.py", tag=NATIVE, into=folder)

    assert world.said("good") is None
    assert world.said("pure") is None
    assert world.said("bad") == (
        f"[no-pyodide-build] `import bad`: bad in python_modules is built for {NATIVE}, and the platform runs Pyodide "
        "314.0.7"
    )


def test_the_installed_build_does_not_matter_where_python_modules_has_another(world: World) -> None:
    world.declare("lib")
    world.install("lib", "lib.py", tag=NATIVE)
    world.install("lib", "other_name.py", into=world.folder / "python_modules")

    assert world.said("lib") is None


# -- lock files ----------------------------------------------------------------------------------------------------


def uv_lock(*packages: str) -> str:
    root = '[[package]]\nname = "worker"\nversion = "0"\nsource = { virtual = "." }\n'
    return "version = 1\n" + root + "\n".join(packages)


def locked(name: str, *wheels: str, more: str = "") -> str:
    urls = ", ".join(f'{{ url = "https://files.test/{wheel}" }}' for wheel in wheels)
    source = 'source = { registry = "https://index.test/simple" }'
    return f'[[package]]\nname = "{name}"\nversion = "1.0"\n{source}\nwheels = [{urls}]\n{more}'


def test_a_pure_wheel_in_uv_lock_counts_whatever_is_installed(world: World) -> None:
    world.declare("lib")
    world.install("lib", "lib.py", tag=NATIVE)
    world.write("uv.lock", uv_lock(locked("lib", f"lib-1.0-{NATIVE}.whl", "lib-1.0-py3-none-any.whl")))

    assert world.said("lib") is None


def test_a_package_that_is_locked_in_two_versions_has_the_wheels_of_both(world: World) -> None:
    world.declare("lib")
    world.install("lib", "lib.py", tag=NATIVE)
    both = [locked("lib", f"lib-1.0-{NATIVE}.whl"), locked("lib", "lib-2.0-py3-none-any.whl")]
    world.write("uv.lock", uv_lock(*both))

    assert world.said("lib") is None

    world.write("uv.lock", uv_lock(*reversed(both)))
    assert world.said("lib") is None


@pytest.mark.parametrize("platform", ["pyemscripten_2026_0_wasm32", "pyodide_2026_0_wasm32"])
def test_a_wheel_for_that_pyodide_in_uv_lock_counts(world: World, platform: str) -> None:
    world.declare("lib")
    world.install("lib", "lib.py", tag=NATIVE)
    world.write("uv.lock", uv_lock(locked("lib", f"lib-1.0-cp314-cp314-{platform}.whl")))

    assert world.said("lib") is None

    world.configure(compatibility_date="2026-01-01")  # another Pyodide

    assert world.said("lib") is not None


def test_a_package_without_a_pure_wheel_in_uv_lock_is_named_even_where_a_pure_one_is_installed(world: World) -> None:
    world.declare("lib")
    world.install("lib", "lib.py")
    world.write("uv.lock", uv_lock(locked("lib", f"lib-1.0-{NATIVE}.whl")))

    assert str(world.said("lib")).endswith(
        "none of the wheels of lib in uv.lock is pure Python, and Pyodide 314.0.7 has no build of it"
    )


def test_a_package_without_wheels_in_uv_lock_needs_a_build(world: World) -> None:
    world.declare("lib")
    world.install("lib", "lib.py")
    world.write("uv.lock", uv_lock(locked("lib")))

    assert "uv.lock has no wheel of lib" in str(world.said("lib"))

    world.declare("lib", more="[tool.pywrangler]\nallow-build = true\n")

    assert world.said("lib") is None


@pytest.mark.parametrize("source", ['{ editable = "../lib" }', '{ git = "https://git.test/lib" }'])
def test_a_package_from_a_source_has_no_wheels_to_check(world: World, source: str) -> None:
    world.declare("lib")
    world.install("lib", "lib.py")
    world.write("uv.lock", uv_lock(f'[[package]]\nname = "lib"\nversion = "1"\nsource = {source}\n'))

    assert world.said("lib") is None


def test_uv_lock_says_what_is_needed_without_the_groups(world: World) -> None:
    world.declare("top")
    world.write(
        "uv.lock",
        uv_lock(
            '[package.dev-dependencies]\ndev = [{ name = "tool" }]\n',
            locked("top", "top-1-py3-none-any.whl", more='dependencies = [{ name = "needed", extra = ["x"] }]\n'),
            locked(
                "needed",
                "needed-1-py3-none-any.whl",
                more='[package.optional-dependencies]\nx = [{ name = "deep", marker = "sys_platform == \'emscripten\'" }]\n',
            ),
            locked("deep", "deep-1-py3-none-any.whl"),
            locked("tool", "tool-1-py3-none-any.whl"),
        ),
    )
    for name in ("needed", "deep", "tool"):
        world.install(name, f"{name}.py")

    assert world.said("needed") is None
    assert world.said("deep") is None
    assert "which the dependencies of [project] in pyproject.toml and uv.lock neither name nor need" in str(
        world.said("tool")
    )


def test_uv_lock_of_a_workspace_is_found_above(world: World) -> None:
    world.write("pyproject.toml", '[project]\nname = "worker"\ndynamic = ["dependencies"]\n')
    world.install("lib", "lib.py")
    text = uv_lock(locked("lib", "lib-1-py3-none-any.whl")).replace(
        "source = { virtual", 'dependencies = [{ name = "lib" }]\nsource = { virtual', 1
    )
    (world.folder.parent / "uv.lock").write_text(text)

    assert world.deployment.has("lib") is True
    assert world.deployment.has("other") is False


def test_pylock_says_what_is_deployed(world: World) -> None:
    world.write(
        "pylock.toml",
        'lock-version = "1.0"\n'
        '[[packages]]\nname = "lib"\nwheels = [{ name = "lib-1.0-py3-none-any.whl" }]\n'
        '[[packages]]\nname = "tool"\nmarker = "\'dev\' in dependency_groups"\n'
        '[[packages]]\nname = "native"\nwheels = [{ url = "https://files.test/native-1.0-' + NATIVE + '.whl" }]\n'
        '[[packages]]\nname = "local"\ndirectory = { path = "../local" }\n',
    )
    for name in ("lib", "tool", "native", "local", "other"):
        world.install(name, f"{name}.py")

    assert world.said("lib") is None
    assert world.said("local") is None
    assert "none of the wheels of native in pylock.toml is pure Python" in str(world.said("native"))
    assert "which pylock.toml neither names nor needs" in str(world.said("tool"))
    assert "which pylock.toml neither names nor needs" in str(world.said("other"))


@pytest.mark.parametrize(
    "text",
    [
        "not toml = = 1",
        "package = 3",
        "[[package]]\nversion = 1\n",
        '[[package]]\nname = "other"\n',
        '[[package]]\nname = "worker"\ndependencies = [{ name = "a b c" }, 3]\n',
        '[[package]]\nname = "other"\nwheels = [{ url = "no-wheel" }, 3]\n',
        "package = [3]",
    ],
)
@pytest.mark.parametrize("name", ["uv.lock", "pylock.toml"])
def test_a_lock_file_that_cannot_be_read_says_nothing(world: World, name: str, text: str) -> None:
    world.declare("lib")
    world.install("lib", "lib.py")
    world.write(name, text.replace("package", "packages") if name == "pylock.toml" else text)

    assert world.said("lib") is None


def test_a_project_that_was_read_once_is_not_read_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.declare()
    world.install("lib", "lib.py")
    deployment = world.deployment
    assert deployment.problem("lib") is not None
    reads = count()

    def read(*_: Any) -> Any:
        next(reads)

    monkeypatch.setattr("pytest_workflows.deployment.deployment.files_of", read)
    world.declare("lib")

    assert deployment.problem("lib") is not None
    assert next(reads) == 0
