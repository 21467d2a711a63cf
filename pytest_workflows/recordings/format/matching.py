"""Matching of recorded values, as far as both are known: a redacted or unknown part is no difference."""

from __future__ import annotations

import re
from typing import Any

from .redaction import TEXT
from .values import is_unknown


def can_match(a: Any, b: Any) -> bool:
    """Whether two tagged values can be the same."""
    if is_unknown(a) or is_unknown(b):
        return True
    if isinstance(a, str) and isinstance(b, str):
        return texts_can_match(a, b)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(can_match(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(can_match, a, b))
    return bool(a == b)


def texts_can_match(a: str, b: str) -> bool:
    """Whether two texts can be the same; any text may have stood where one is redacted."""
    if a == b:
        return True
    if TEXT not in a:
        a, b = b, a
    parts, others = a.split(TEXT), b.split(TEXT)
    if len(parts) == 1:
        return False
    if len(others) == 1:
        return re.fullmatch(".*".join(map(re.escape, parts)), b, re.DOTALL) is not None
    begins = _one_begins_the_other(parts[0], others[0])
    return begins and _one_begins_the_other(parts[-1][::-1], others[-1][::-1])


def holds_redacted(value: Any) -> bool:
    """Whether a tagged value is not known, or has a part that is not, or that is redacted."""
    if isinstance(value, str):
        return TEXT in value
    if isinstance(value, dict):
        return is_unknown(value) or any(map(holds_redacted, value.values()))
    return isinstance(value, list) and any(map(holds_redacted, value))


def _one_begins_the_other(a: str, b: str) -> bool:
    return a.startswith(b) or b.startswith(a)
