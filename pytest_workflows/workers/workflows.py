"""Served as `workers.workflows`."""

from __future__ import annotations

from durable_engine import NonRetryableError

__all__ = ["NonRetryableError"]
