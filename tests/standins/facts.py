"""Marks a test as the proof of a fact about a binding, for the table of its page in docs/reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

F = TypeVar("F", bound=Callable[..., object])


def fact(page: str, text: str, *, why: str | None = None) -> Callable[[F], F]:
    """Put a line into the table of a page: what is so, and where we differ from the platform, why.

    Args:
        page: The page in docs/reference, without its ending.
        text: The fact.
        why: Why it is otherwise here; None where it is the same.
    """
    return lambda test: test
