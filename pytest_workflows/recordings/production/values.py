"""Values of a dump: which are whole, which were cut short, and which the API has no form for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from durable_engine import REDACTED_REASON, JsBigInt, UnknownValue
from pytest_workflows.recordings.format.model import Value
from pytest_workflows.recordings.format.values import JsonValue, is_unknown, tag

from .fields import MISSING

MISSING_REASON = "{what} is missing in the dump"
CUT_REASON = "{what} was cut short by the API"
REDACTED = "[REDACTED]"

_CUT_MARK = re.compile(
    r"(\[|\(|<|\.\.\.|…)[^\[\](){}<>\n]{0,30}\btruncated\b[^\[\](){}<>\n]{0,40}[\])>.…]*\s*\Z", re.IGNORECASE
)
_ELLIPSIS = re.compile(r"(\.\.\.|…)\s*\Z")
_ELLIPSIS_FROM = 50
"""A text that ends in an ellipsis and is at least so long was cut; a shorter one may well be meant so."""
_BYTES = re.compile(
    r"\[(ArrayBuffer|DataView|ReadableStream|Blob|(Big)?(Ui|I)nt(8|16|32|64)(Clamped)?Array|Float(16|32|64)Array)\b[^\]]*\]"
)
_BIGINT = re.compile(r"\[BigInt\((-?\d+)\)\]")
_PART_OF_WORD = re.compile(r"(t|tr|tru|f|fa|fal|fals|n|nu|nul|-)\Z")


def guess_json(outputs: Iterable[object]) -> bool | None:
    """Whether the outputs of a dump stand there as JSON text, where that is a guess: all that is known is such text.

    Some answers of the API have every output encoded, and some have the values themselves, among which a text may
    happen to be JSON. Texts of numbers and booleans alone are as good as any text; more than that is taken for encoded.

    Args:
        outputs: All outputs of the dump, the instance's own included.

    Returns:
        None if nothing is to be guessed: no output is known, or one is no text or no JSON, so that all are as they are.
    """
    known = [output for output in outputs if _is_known(output)]
    texts = [output for output in known if isinstance(output, str) and _parses(output)]
    if not known or len(texts) < len(known):
        return None
    return any(not isinstance(loaded(text), int | float) for text in texts)


def _is_known(output: object) -> bool:
    if isinstance(output, str):
        return output != REDACTED and not _was_cut(output) and _BYTES.fullmatch(output) is None
    return output is not MISSING and output is not None


def read_value(value: object, what: str, *, cut: bool = False, as_text: bool = False, sensitive: bool = False) -> Value:
    """A value of a dump as a recording holds it.

    Args:
        value: As the dump has it; MISSING if it has none.
        what: The name of the value, for where it is not known: `the output of step 'charge-1'`.
        cut: Whether the dump says elsewhere that it is not whole.
        as_text: Whether it is JSON text.
        sensitive: Whether it is an output that the platform keeps secret.
    """
    if value is MISSING:
        return tag(UnknownValue(MISSING_REASON.format(what=what)))
    if as_text and isinstance(value, str) and not cut and not _was_cut(value):
        value = loaded(value)
    if (sensitive and value is not None) or value == REDACTED:
        return tag(UnknownValue(REDACTED_REASON))
    if cut:
        return tag(UnknownValue(CUT_REASON.format(what=what)))
    return tag(_whole(value, what))


def holds_unknown(value: Value) -> bool:
    """Whether a value, as a recording holds it, is not known or has a part that is not."""
    if isinstance(value, dict):
        return is_unknown(value) or any(holds_unknown(item) for item in value.values())
    return isinstance(value, list) and any(holds_unknown(item) for item in value)


def loaded(text: str) -> JsonValue:
    """The value of a JSON text; the text itself where it is none."""
    value: JsonValue = json.loads(text) if _parses(text) else text
    return value


def _whole(value: object, what: str) -> object:
    if isinstance(value, str):
        return _text(value, what)
    if isinstance(value, list):
        return [_whole(item, what) for item in value]
    if isinstance(value, Mapping):
        return {key: _whole(item, what) for key, item in value.items()}
    return value


def _text(value: str, what: str) -> str | int | UnknownValue:
    if _was_cut(value):
        return UnknownValue(CUT_REASON.format(what=what))
    if _BYTES.fullmatch(value):
        return UnknownValue(f"{what} holds bytes, which the API does not give: {value}")
    bigint = _BIGINT.fullmatch(value)
    return JsBigInt(bigint[1]) if bigint else value


def _was_cut(value: str) -> bool:
    if len(value) >= _ELLIPSIS_FROM and _ELLIPSIS.search(value[-5:]):
        return True
    return _CUT_MARK.search(value[-100:]) is not None or _is_part_of_json(value)


def _is_part_of_json(value: str) -> bool:
    """Whether a text begins as a JSON object or array, and breaks off before that ends."""
    start = value.lstrip()
    if not re.match(r'\{\s*"|\[\s*[{"\[\d-]', start):
        return False
    try:
        json.loads(start)
    except json.JSONDecodeError as error:
        rest = start[error.pos :]
        return error.msg.startswith("Unterminated string") or not rest.strip() or bool(_PART_OF_WORD.match(rest))
    except RecursionError:
        return False
    return False


def _parses(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
