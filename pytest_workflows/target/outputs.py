"""Outputs as the API gives them, read as the values that a test gets in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pytest_workflows.recordings.production.values import guess_json, loaded


def output_of(instance: Mapping[str, Any]) -> Any:
    """The value that `run` returned.

    Args:
        instance: A complete instance, as the API gives it.
    """
    return read_output(instance, instance.get("output"))


def read_output(instance: Mapping[str, Any], output: Any) -> Any:
    """An output of an instance: some servers give JSON text, and some the value.

    Args:
        instance: The instance.
        output: Its own output, or a step's.
    """
    if not isinstance(output, str):
        return output
    if instance.get("outputs_are_json"):
        return json.loads(output)
    outputs = [instance.get("output"), *(step.get("output") for step in instance.get("steps") or [])]
    return loaded(output) if guess_json(one for one in outputs if one is not None) else output
