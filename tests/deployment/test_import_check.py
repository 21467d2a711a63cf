"""What is done with an import statement, by what stands around it in the source."""

import functools
import textwrap

import pytest

from pytest_workflows.deployment.import_check import check_import
from pytest_workflows.project.worker_project import Project

from .conftest import World

RAISES, REPORTED, SILENT = "raises", "reported", "silent"


def outcome(world: World, source: str) -> str:
    """What becomes of the one import of `lib` in a Worker, which is not deployed."""
    world.declare()
    world.install("lib", "lib.py")
    world.write("src/entry.py", textwrap.dedent(source))
    found: list[object] = []
    project = Project(world.folder / "wrangler.json")
    project.imports.checks.append(functools.partial(check_import, project, lambda *one: found.append(one)))
    module = project.load_main()
    if found:
        return REPORTED
    return RAISES if getattr(module, "has_failed", False) else SILENT


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("import lib", REPORTED),
        ("from lib import (\n    __doc__,\n)", REPORTED),
        ("import importlib\nlib = importlib.import_module('lib')", REPORTED),
        ("__import__('lib')", REPORTED),
        ("try:\n    import lib\nexcept ImportError:\n    has_failed = True", RAISES),
        ("try:\n    import lib\nexcept (KeyError, ModuleNotFoundError) as error:\n    has_failed = True", RAISES),
        ("try:\n    if True:\n        import lib\nexcept ImportError:\n    has_failed = True", RAISES),
        ("import builtins\ntry:\n    import lib\nexcept builtins.ImportError:\n    has_failed = True", RAISES),
        ("from contextlib import suppress\nhas_failed = True\nwith suppress(ImportError):\n    import lib", RAISES),
        ("try:\n    import lib\nexcept Exception:\n    has_failed = True", REPORTED),
        ("try:\n    import lib\nexcept:\n    has_failed = True", REPORTED),
        ("try:\n    import nowhere\nexcept ImportError:\n    import lib", REPORTED),
        ("try:\n    x = 1\nexcept ImportError:\n    pass\nelse:\n    import lib", REPORTED),
        ("from contextlib import suppress\nwith suppress(KeyError):\n    import lib", REPORTED),
        ("with open(__file__):\n    import lib", REPORTED),
        (
            "try:\n    def late():\n        import lib\nexcept ImportError:\n    pass\nlate()",
            REPORTED,
        ),
        ("import sys\nif sys.platform != 'emscripten':\n    import lib", SILENT),
        ("import platform\nif platform.system() == 'Linux':\n    import lib", SILENT),
        ("platform = 'stripe'\nif platform == 'stripe':\n    import lib", REPORTED),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import lib", SILENT),
    ],
)
def test_what_stands_around_an_import_decides(world: World, source: str, wanted: str) -> None:
    assert outcome(world, source) == wanted
