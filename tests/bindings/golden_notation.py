"""The notation of the golden observations (golden/README.md): an observed answer as a pattern for ours."""

import json
import pathlib
import re

GOLDEN = pathlib.Path(__file__).parent / "golden"

_MASKS = {
    "64 hex": r"[0-9a-f]{64}",
    "32 hex": r"[0-9a-f]{32}",
    "uuid": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "id": r"[\w-]+",
    "n": r"\d+",
    "ms": r"[\d.]+",
    "bytes": r"\d+",
    "ms now": r"\d{12,}(?:\.\d+)?",
    "s now": r"\d{9,}(?:\.\d+)?",
    "now": r"[\d ,:.TZ-]+",
    "now as Date text": r"\w{3} \w{3} \d\d \d{4} \d\d:\d\d:\d\d GMT\+0000 \(Coordinated Universal Time\)",
    "24 letters and digits": r"\w{24}",
    "etag": r"\w+",
    "171 characters": r".{171}",
}
_NOT_COMPARED = re.compile(
    r"('?(?:sql_duration_ms|duration|size_after|rows_read|rows_written)'?(?:: |=))[\d.]+", re.ASCII
)
"""What is not to be compared: it depends on the machine, or on SQLite's own pages."""
_ADDRESS = re.compile(r"\bat 0x[0-9a-f]+")
_SOURCE = re.compile(r" {4,}[^| ]| *\| {5,}|[\s|~^]*$")
_FRAME = re.compile(r'File "[^"]*", line (?:\d+|<n>), in (.+)')


def observations(*, level):
    """The records of one level, as `(file, record)`."""
    for path in sorted(GOLDEN.glob("*.json")):
        for record in json.loads(path.read_text()):
            if record["level"] == level:
                yield path.name, record


async def ask_once(record, ask, answers):
    """A record's answers, by label: it runs once for all of its labels, and fails for all of them.

    Args:
        record: Its id.
        ask: An async function that runs it.
        answers: The answers so far, by id, which get these.
    """
    if record not in answers:
        try:
            answers[record] = await ask()
        except Exception as error:
            answers[record] = error
    if isinstance(answers[record], Exception):
        raise answers[record]
    return answers[record]


def is_as(observed, answer):
    """Whether an answer of ours is the observed one, but for what is masked or was cut."""
    return re.fullmatch(_pattern(_normal(observed)), _normal(answer), re.DOTALL) is not None


def _pattern(observed):
    """A regular expression: `…` stands for what was cut, `<ms now>` and its like for what differs each time."""
    parts = re.split(f"(…|<(?:{'|'.join(_MASKS)})>)", observed)
    return "".join(
        ".*?"
        if part == "…"
        else f"(?:{_MASKS[part[1:-1]]}|{re.escape(part)})"
        if part[1:-1] in _MASKS and part[0] == "<"
        else re.escape(part)
        for part in parts
        if part
    )


def _normal(text):
    text = _NOT_COMPARED.sub(r"\g<1>0", text)
    text = _ADDRESS.sub("at 0x…", text)
    if "Traceback (most recent call last)" in text:
        return _without_sources(text)
    return _end_of_traceback(text) if text.startswith("throws PythonError: ") else text


def _end_of_traceback(text):
    """The last function and the exception of a traceback whose beginning was cut at a number of characters."""
    shown = _without_sources(text)
    return shown[shown.rindex("\nin ") + 1 :] if "\nin " in shown else shown


def _without_sources(text):
    """A traceback's functions and exceptions: its files and source lines are those of the Worker that was observed."""
    text = re.sub(r" name='\w+' message=.*", "", text, flags=re.DOTALL)
    kept = []
    for line in re.split(r"(?<!\\)\\n|\n", text):
        frame = _FRAME.search(line)
        if frame is not None:
            kept.append(f"in {frame[1]}")
        elif _SOURCE.match(line) is None:
            kept.append(line)
    return "\n".join(kept)
