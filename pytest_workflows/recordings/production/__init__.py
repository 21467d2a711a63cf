"""Dumps of production (the platform's API for an instance), read as recordings.

Such a dump names no workflow and no instance, its outputs may be cut short or missing, and its step names carry the
occurrence (`charge card-1`). What it does not say is unknown in the recording, and the recording's notes say so.

The platform's own spelling belongs here, and nowhere else. What a recording is belongs to `format`.
"""

from __future__ import annotations

from .fields import UNKNOWN_ERROR
from .instance import NO_ID, UNKNOWN_ID, read_production
from .notes import AS_JSON, AS_TEXT, guess_of
from .whole_outputs import are_encoded, give_whole_output, names_in_dump, steps_without_output

__all__ = [
    "AS_JSON",
    "AS_TEXT",
    "NO_ID",
    "UNKNOWN_ERROR",
    "UNKNOWN_ID",
    "are_encoded",
    "give_whole_output",
    "guess_of",
    "names_in_dump",
    "read_production",
    "steps_without_output",
]
