"""The size of a Worker with all its modules, as wrangler uploads it (wrangler 4.164)."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import translate
from pathlib import Path
from typing import Any

_RULES = ("**/*.py", "**/*.txt", "**/*.html", "**/*.sql", "**/*.bin", "**/*.wasm")
"""What is uploaded of the folder of `main` where the configuration has no `rules`, and beside them."""
_EXCLUDED = ("**/*.pyc",)
"""What is not uploaded of `python_modules/` where the configuration has no `python_modules.exclude`."""


def sizes_of(folders: Iterable[Path], python_modules: Path, settings: Mapping[str, Any]) -> Counter[str]:
    """The bytes of what is uploaded, by the files and folders at the top.

    wrangler leaves out neither hidden folders nor `node_modules`.

    Args:
        folders: Where the Worker's own modules lie; a folder within another one counts once.
        python_modules: Where its packages lie.
        settings: The wrangler configuration.
    """
    rules = settings.get("rules")
    globs = [
        *_RULES,
        *(glob for rule in (rules if isinstance(rules, list) else ()) for glob in _list(rule, "globs", ())),
    ]
    excluded = _list(settings.get("python_modules"), "exclude", _EXCLUDED)
    is_own, is_left_out = _pattern(globs), _pattern(excluded)
    found: dict[str, tuple[str, int]] = {}
    for folder in folders:
        for path, relative in _files(folder):
            if is_own.fullmatch(relative):
                found[path] = (relative.partition("/")[0], _size(path))
    for path, relative in _files(python_modules):
        if not is_left_out.fullmatch(relative):
            found[path] = (f"python_modules/{relative.partition('/')[0]}", _size(path))
    sizes: Counter[str] = Counter()
    for top, size in found.values():
        sizes[top] += size
    return sizes


def _files(folder: Path) -> Iterator[tuple[str, str]]:
    """The files below a folder: each path, and the path from the folder."""
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            yield path, path[len(str(folder)) + 1 :].replace(os.sep, "/")


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:  # a link to nothing
        return 0


def _pattern(globs: Iterable[str]) -> re.Pattern[str]:
    """One pattern for all globs: there may be a hundred thousand files below a folder."""
    return re.compile(
        "|".join(translate(part) for glob in globs for part in {glob, glob.removeprefix("**/")}) or "(?!)"
    )


def _list(table: object, key: str, default: Iterable[str]) -> list[str]:
    found = table.get(key) if isinstance(table, dict) else None
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else [*default]
