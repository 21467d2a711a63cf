"""Reads `.dev.vars` beside the configuration: the secrets that `wrangler dev` gives a Worker.

Wrangler 4.164.0 reads it with the npm package dotenv 16.3.1. python-dotenv reads another language: here an unquoted `#`
ends a value wherever it stands, of the escapes only those of line ends in double quotes are read, values may stand in
backticks, and nothing is filled in for `${...}`. What came out otherwise in a test would be found in production.
"""

from __future__ import annotations

import re
from pathlib import Path

from pytest_workflows.errors import WorkflowConfigError

NAME = ".dev.vars"
_KEY = re.compile(r"\s*(?:export\s+)?(?P<key>[A-Za-z0-9_.-]+)(?:\s*=|:(?=\s))")
_QUOTED = re.compile(
    r"""\s*
    (?P<quote>["'`])
    (?P<inside>(?:\\(?P=quote)|(?!(?P=quote)).)*)
    (?P=quote)
    [^\S\n]*(?:\#[^\n]*)?(?=\n|$)""",
    re.VERBOSE | re.DOTALL,
)
_BARE = re.compile(r"[^#\n]*")


def find_dev_vars(config: Path, environment: str | None) -> Path | None:
    """The file that holds for a configuration.

    Args:
        config: The configuration.
        environment: Which environment of it holds: a file of its own holds in place of the common one.

    Returns:
        None where there is none.
    """
    names = [NAME] if environment is None else [f"{NAME}.{environment}", NAME]
    paths = [config.parent / name for name in names]
    return next((path for path in paths if path.exists()), None)


def load_dev_vars(path: Path) -> dict[str, str]:
    """Read the variables of a `.dev.vars` file.

    Args:
        path: The file.

    Raises:
        WorkflowConfigError: If it cannot be read.
    """
    try:
        source = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        # The error of a decoder would show the file's content.
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise WorkflowConfigError(
            f"{path}:1: these secrets cannot be read: {why}. Correct the file, or turn it off with ini "
            "workflows_dev_vars = no."
        ) from None
    return parse_dev_vars(source)


def parse_dev_vars(source: str) -> dict[str, str]:
    """The variables of a text in that language; the last of several of one name holds. What is no variable is left out.

    Args:
        source: The text.
    """
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    found: dict[str, str] = {}
    at = 0
    while at < len(source):
        key = _KEY.match(source, at)
        if key is not None:
            value = _QUOTED.match(source, key.end())
            if value is not None:
                found[key["key"]] = _unescaped(value["inside"], value["quote"])
            else:
                value = _BARE.match(source, key.end())
                assert value is not None
                found[key["key"]] = _bare(value[0].strip())
            at = value.end()
        end = source.find("\n", at)
        at = len(source) if end < 0 else end + 1
    return found


def _bare(text: str) -> str:
    """A value whose quotes, if it has any, do not end where they should."""
    quote = text[:1]
    inside = re.fullmatch(r"""(["'`])(.*)\1""", text)
    return _unescaped(text if inside is None else inside[2], quote)


def _unescaped(text: str, quote: str) -> str:
    return text.replace("\\n", "\n").replace("\\r", "\r") if quote == '"' else text
