"""The packages that a Pyodide has a build of, and the environment that markers of requirements are evaluated for.

The list is `builds.json`, which `.ci/pyodide/builds.py` writes from the `pyodide-lock.json` of each version.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from packaging.tags import Tag

_PYTHON = (3, 14)


@dataclass(frozen=True)
class Builds:
    """The builds of one Pyodide.

    Attributes:
        pyodide: Its version.
        python: The version of its Python.
        abi: The version of its ABI, `2026_0`.
        packages: The versions of what it has a build of, by canonical name.
    """

    pyodide: str
    python: str
    abi: str
    packages: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """The values of the markers of requirements, as pywrangler resolves them."""
        return {
            "implementation_name": "cpython",
            "implementation_version": self.python,
            "os_name": "posix",
            "platform_machine": "wasm32",
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Emscripten",
            "platform_version": "",
            "python_full_version": self.python,
            "python_version": ".".join(self.python.split(".")[:2]),
            "sys_platform": "emscripten",
        }

    def takes(self, tag: Tag) -> bool:
        """Whether a wheel with this tag can be installed: a pure one, or one that is built for this Pyodide."""
        if tag.platform == "any":
            return tag.abi == "none"
        return re.fullmatch(rf"(pyodide|pyemscripten)_{self.abi}_wasm32", tag.platform) is not None


def builds_for(python: tuple[int, int]) -> Builds:
    """The builds for a Python of the platform; those of the newest where the Python is another one."""
    builds = _data()["builds"]
    name = "{}.{}".format(*python)
    return Builds(**(builds[name] if name in builds else builds["{}.{}".format(*_PYTHON)]))


def has_pure_wheel(name: str) -> bool:
    """Whether a package is known to have a pure wheel beside those for a machine.

    Args:
        name: Its canonical name.
    """
    return name in _data()["pure_as_well"]


@cache
def _data() -> Mapping[str, Any]:
    text = files(__package__).joinpath("builds.json").read_text(encoding="utf-8")
    data: Mapping[str, Any] = json.loads(text)
    return data
