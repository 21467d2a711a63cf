"""Errors about recordings."""

from __future__ import annotations

from durable_engine import EngineError


class RecordingError(EngineError):
    """A recording cannot be read, or cannot be used for what was asked."""


class DivergenceError(EngineError):
    """The source asked for other steps than the recorded ones."""
