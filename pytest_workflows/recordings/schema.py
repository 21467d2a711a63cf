"""The JSON Schema of a recording, made from the structs; docs/reference/recording.schema.json holds it.

Written anew by `python -m pytest_workflows.recordings.schema > docs/reference/recording.schema.json`.
"""

from __future__ import annotations

import sys
from inspect import cleandoc
from typing import Any

import msgspec

from .format.model import FORMAT, VERSION, Recording


def schema() -> dict[str, Any]:
    """The schema of version 1."""
    (definition,), parts = msgspec.json.schema_components([Recording], ref_template="#/$defs/{name}")
    whole = parts.pop("Recording")
    assert definition == {"$ref": "#/$defs/Recording"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A recording of pytest-workflows",
        **{key: value for key, value in whole.items() if key != "title"},
        "properties": {
            **whole["properties"],
            "format": {"const": FORMAT},
            "version": {"const": VERSION},
        },
        "required": sorted({*whole["required"], "format", "version"}),
        "description": cleandoc(whole["description"]),
        "$defs": {name: {**part, "description": cleandoc(part["description"])} for name, part in parts.items()},
    }


def text() -> str:
    """The schema as it stands in its file."""
    return msgspec.json.format(msgspec.json.encode(schema(), order="sorted"), indent=2).decode() + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
