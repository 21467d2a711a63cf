"""Time zones: a Worker that is not deployed with `tzdata` has none, for the platform has no files of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from durable_engine import hide_frames
from pytest_workflows.javascript.runtime import python_version

from .replacements import Replacements
from .table import Refusal, table_of
from .whose import Use, View, caller_through_library

hide_frames(__file__)

_ASKED = "Europe/Berlin"
"""The zone that the probe asks for: another one's name takes its place in the text."""
_REMEDY = 'write "tzdata" into the dependencies of [project] in pyproject.toml, from which pywrangler installs'
"""What Pyodide's own text says to do cannot be done in a Worker."""


class _NoPlaces(tuple[str, ...]):
    """The folders of time zones, of which a Worker without `tzdata` sees none."""

    is_refused: Callable[[], bool]

    def __iter__(self) -> Iterator[str]:
        return iter(()) if self.is_refused() else super().__iter__()


class Zones:
    """The refusal of time zones, from `start` until `stop`.

    What is looked up is `zoneinfo`'s list of folders, and then the package: `ZoneInfo` itself is a class in C. Checked
    in CPython 3.11 to 3.15; in a version that looks elsewhere nothing would be refused.

    Args:
        view: Gives who says whose code runs.
    """

    def __init__(self, view: Callable[[], View | None]) -> None:
        self._view = view
        self._replacements = Replacements()
        self._load_tzdata: Callable[[str], Any] | None = None
        self._module: object = None

    def start(self) -> None:
        """Refuse zones from now on; nothing while the module is not imported. Starting twice is fine."""
        if "zoneinfo" not in sys.modules or self._load_tzdata is not None:
            return
        self._module = sys.modules["zoneinfo"]
        places: Any = sys.modules["zoneinfo._tzpath"]
        common: Any = sys.modules["zoneinfo._common"]
        self._load_tzdata = common.load_tzdata
        hiding = _NoPlaces(places.TZPATH)
        hiding.is_refused = lambda: self._asker() is not None
        self._replacements.put(places, "TZPATH", hiding)
        self._replacements.put(common, "load_tzdata", self._load)

    def is_intact(self) -> bool:
        """Whether zones are refused where they are looked up, as `start` has left it."""
        return self._module in (None, sys.modules.get("zoneinfo")) and self._replacements.are_intact()

    @staticmethod
    def forget() -> None:
        """Forget the zones that are known: what is known is not looked up."""
        zoneinfo: Any = sys.modules.get("zoneinfo")
        if zoneinfo is not None:
            zoneinfo.ZoneInfo.clear_cache()

    def stop(self) -> None:
        """Give zones to everybody. Stopping twice is fine."""
        self._replacements.put_back()
        self._load_tzdata = self._module = None

    def _load(self, key: str) -> Any:
        found = self._asker()
        if found is None:
            assert self._load_tzdata is not None
            return self._load_tzdata(key)
        view, frame = found
        refusal = table_of(python_version()).refused["zoneinfo.ZoneInfo"]
        arguments = tuple(one.replace(_ASKED, key) if isinstance(one, str) else one for one in refusal.arguments)
        refusal = Refusal(refusal.kind, arguments)
        view.report(Use(f"zoneinfo.ZoneInfo({key!r})", refusal, frame, _REMEDY))
        raise refusal.error()

    def _asker(self) -> tuple[View, Any] | None:
        """The Worker's frame that asks for a zone, if the Worker is known to be deployed without the package."""
        view = self._view()
        frame = None if view is None else caller_through_library(view.is_workers)
        if view is None or frame is None or view.is_deployed("tzdata", frame.f_code) is not False:
            return None
        return view, frame
