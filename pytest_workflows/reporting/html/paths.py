"""Paths of the machine that made the page, shortened: the page is handed on, and nobody else has those folders."""

from __future__ import annotations

import json
import os
import re
import site
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import durable_engine
import pytest_workflows

_INSTALLED = "site-packages"
# What stands before a path of one part, such as `/tmp`, so that it is not the end of another one: `src/tmp`. In JSON an
# escaped newline ends with a letter, and so does what switches a terminal's colour.
_STARTS = r"(?:(?<![\w.~/\\-])|(?<=\\[nrtbf])|(?<=\[\dm)|(?<=\[\d\dm)|(?<=file://))"
_PART = r"[^\s\"'`/\\:<>|]+"


class _Form(NamedTuple):
    """How paths are written in a kind of text.

    Attributes:
        ends: What stands behind a folder.
        library: A path of an installed package, up to where it is installed.
        source: A path of a source, with its last folder and name.
    """

    ends: str
    library: re.Pattern[str]
    source: re.Pattern[str]


def _form(separators: str) -> _Form:
    library = rf"{_STARTS}(?:[A-Za-z]:)?(?:{separators}{_PART})+{separators}(?:site|dist)-packages(?={separators})"
    source = rf"{_STARTS}(?:[A-Za-z]:)?{separators}(?:{_PART}{separators})*?({_PART}{separators}{_PART}\.pyi?)\b"
    return _Form(rf"(?:(?P<sep>{separators})|(?![\w-]|\.\w))", re.compile(library), re.compile(source))


_TEXT = _form(r"[/\\]+")
_JSON = _form(r"(?:/|\\\\)+")
"""In JSON a backslash is two; one alone begins an escaped character, such as a newline."""


class ShortPaths:
    """A shortener of paths: relative to rootdir, `site-packages/...`, `~/...`.

    Args:
        rootdir: What files are relative to.
        folders: What stands for each folder, where the texts are of another machine; empty for this one's folders.
    """

    def __init__(self, rootdir: Path, folders: Mapping[str, str] | None = None) -> None:
        known = folders or dict(_known(rootdir))
        self._known = dict(sorted(known.items(), key=lambda pair: -len(pair[0])))

    @property
    def folders(self) -> Mapping[str, str]:
        """What stands for each folder of the machine."""
        return self._known

    def text(self, text: str) -> str:
        """A text without paths of the machine."""
        return _shorten(text, self._in_text, self._known, _TEXT)

    def json(self, text: str) -> str:
        """JSON without paths of the machine: its texts are escaped."""
        return _shorten(text, *self._in_json, _JSON)

    @cached_property
    def _in_text(self) -> re.Pattern[str]:
        return _pattern(self._known, _TEXT)

    @cached_property
    def _in_json(self) -> tuple[re.Pattern[str], dict[str, str]]:
        # A text may hold the repr of a path, whose backslashes are doubled once more.
        once = {_escaped(path): short for path, short in self._known.items()}
        twice = {_escaped(path): short for path, short in once.items()}
        forms = {**once, **twice}
        return _pattern(forms, _JSON), forms


def _shorten(text: str, pattern: re.Pattern[str], known: dict[str, str], form: _Form) -> str:
    def short(found: re.Match[str]) -> str:
        name = known[found["path"]]
        if not found["sep"]:
            return name or "."
        return f"{name}/" if name else ""

    # Most texts have no path at all, which is seen at once; the expressions try each place.
    if any(path in text for path in known):
        text = pattern.sub(short, text)
    if "-packages" in text:
        text = form.library.sub(_INSTALLED, text)
    return form.source.sub(r".../\1", text) if ".py" in text else text


def _pattern(paths: dict[str, str], form: _Form) -> re.Pattern[str]:
    ordered = sorted(paths, key=lambda path: -len(path))
    forms = [re.escape(path) if _parts(path) > 1 else f"{_STARTS}{re.escape(path)}" for path in ordered]
    return re.compile(f"(?P<path>{'|'.join(forms)}){form.ends}" if forms else r"(?!)(?P<path>)(?P<sep>)")


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _parts(path: str) -> int:
    return len([part for part in re.split(r"[/\\]+", path) if part])


def _known(rootdir: Path) -> Iterator[tuple[str, str]]:
    """Folders of this machine and what stands for them; of two of one length the later one holds."""
    for path, short in _folders(rootdir):
        for form in dict.fromkeys((path, os.path.realpath(path))):
            form = form.rstrip("/\\")
            if os.path.isabs(form) and _parts(form):
                yield form, short


def _folders(rootdir: Path) -> Iterator[tuple[str, str]]:
    home = os.path.expanduser("~")
    for prefix in (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix):
        if _parts(prefix) > 1:
            yield prefix, "(python)"
    yield tempfile.gettempdir(), "(tmp)"
    yield home, "~"
    up = ".."
    for parent in rootdir.parents:
        if _parts(str(parent)) > 1 and not Path(home).is_relative_to(parent):
            yield str(parent), up
        up += "/.."
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    yield sysconfig.get_path("stdlib"), version
    installed = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()]
    installed += [str(Path(package.__path__[0]).parent) for package in (durable_engine, pytest_workflows)]
    if site.ENABLE_USER_SITE:
        installed.append(site.getusersitepackages())
    for path in installed:
        yield path, _INSTALLED
    yield str(rootdir), ""
