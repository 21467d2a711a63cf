"""The files that the report shares with the control plane's page: style, timeline, the parts of an instance."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "page"
SHARED: Final = ("tools.js", "source.js", "timeline.js", "parts.js")
"""The scripts that stand on nothing else, in their order; `data.sources` and `data.rules` are for who uses them."""


def shared(name: str) -> str:
    """The text of a file.

    Args:
        name: Its name.
    """
    return (FOLDER / name).read_text(encoding="utf-8")
