"""Answers that hold what users' code made: names, errors, values, of which a text may be no Unicode."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import Response
from pydantic import BaseModel
from pydantic_core import PydanticSerializationError

from .answers import time_text


def answer_with(shape: BaseModel, headers: Mapping[str, str] | None = None) -> Response:
    """An answer as JSON. Half a pair of surrogates is escaped, as JavaScript does it; pydantic has no JSON for it.

    Args:
        shape: What is answered.
        headers: Headers beside the content type.
    """
    try:
        text = shape.model_dump_json(by_alias=True)
    except PydanticSerializationError:
        text = json.dumps(shape.model_dump(by_alias=True), default=_text, separators=(",", ":"), allow_nan=False)
    return Response(text.encode(), media_type="application/json", headers=dict(headers or {}))


def _text(value: Any) -> str:
    assert isinstance(value, datetime)  # the only type of the shapes that JSON has not
    return time_text(value)
