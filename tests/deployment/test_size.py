import pytest

from .conftest import World

KIB = 1024


def put(world: World, name: str, size: int) -> None:
    """A file of a size, of which nothing is on the disk."""
    with open(world.write(name, ""), "wb") as file:
        file.truncate(size)


def said(world: World, most: int) -> str | None:
    problem = world.deployment.problem_of_size(most)
    return None if problem is None else problem.text


def test_what_wrangler_uploads_counts_and_nothing_else(world: World) -> None:
    put(world, "src/parts/big.py", 3 * KIB)
    put(world, "src/page.html", KIB)
    put(world, "src/data.json", 100 * KIB)  # wrangler has no rule for it
    put(world, "python_modules/lib/data.json", 5 * KIB)
    put(world, "python_modules/lib/x.pyc", 100 * KIB)
    put(world, "tests/test_it.py", 100 * KIB)

    assert said(world, 9 * KIB) is None
    assert "1.0 times" in str(said(world, 9 * KIB - 1))


def test_the_largest_parts_are_named(world: World) -> None:
    put(world, "python_modules/numpy/core.so", 96 * KIB * KIB)
    put(world, "src/model.bin", 2 * KIB * KIB)

    assert said(world, 64 * KIB * KIB) == (
        "the Worker has 98.0 MiB with its modules, 1.5 times the 64 MiB that it may have; most of it: "
        "python_modules/numpy 96.0 MiB, model.bin 2.0 MiB, entry.py 0.0 MiB"
    )


def test_from_the_root_the_environment_and_the_tests_are_uploaded_too(world: World) -> None:
    world.write("entry.py", "")
    world.configure(main="entry.py")
    put(world, ".venv/lib/lib.py", KIB)
    put(world, "node_modules/a/page.html", KIB)
    put(world, "tests/test_it.py", KIB)
    put(world, "python_modules/lib.py", KIB)

    assert said(world, 4 * KIB) is None
    assert said(world, 4 * KIB - 1) is not None


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        ({"rules": [{"type": "Data", "globs": ["**/*.json"]}]}, 3),
        ({"python_modules": {"exclude": ["**/tests/*"]}}, 2),
        ({"python_modules": {"exclude": ["**/*.so", "lib/**"]}}, 0),
        ({"base_dir": "."}, 3),
        ({"rules": 3, "python_modules": [], "base_dir": 3}, 2),
    ],
)
def test_the_configuration_says_what_is_uploaded(world: World, settings: dict[str, object], size: int) -> None:
    put(world, "src/data.json", KIB)
    put(world, "beside.py", KIB)
    put(world, "python_modules/lib/tests/one.py", KIB)
    put(world, "python_modules/lib/lib.pyc", KIB)
    put(world, "python_modules/lib.so", KIB)
    world.configure(**settings)

    assert said(world, size * KIB) is None
    assert size == 0 or said(world, size * KIB - 1) is not None
