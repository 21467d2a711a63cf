"""docs/reference/recording.schema.json: current, and true of what is written."""

import json
from pathlib import Path

import jsonschema
import pytest

from pytest_workflows.recordings.schema import schema, text

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))


def test_the_schema_in_the_docs_is_current():
    written = (ROOT / "docs/reference/recording.schema.json").read_text(encoding="utf-8")

    assert written == text(), "run: python -m pytest_workflows.recordings.schema > docs/reference/recording.schema.json"


@pytest.mark.parametrize("sample", [pytest.param(path, id=path.stem) for path in SAMPLES])
def test_samples_keep_to_the_schema(sample):
    jsonschema.validate(json.loads(sample.read_text()), schema(), format_checker=jsonschema.FormatChecker())


def test_something_else_does_not_keep_to_it():
    found = json.loads(SAMPLES[0].read_text())
    found["steps"][0]["kind"] = "jump"

    with pytest.raises(jsonschema.ValidationError, match="'jump' is not one of"):
        jsonschema.validate(found, schema())
