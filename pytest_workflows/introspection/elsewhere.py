"""Workflow bindings whose instances run elsewhere, and which bring introspectors of their own."""

from __future__ import annotations

from typing import Any, NoReturn


class Introspectable:
    """A workflow binding of instances that run on no engine of this process."""

    def introspect_instance(self, instance_id: str) -> Any:
        """Introspect one instance, which need not exist yet."""
        raise NotImplementedError

    def introspect(self) -> Any:
        """Introspect every instance that is created from now on."""
        raise NotImplementedError

    def refuse(self, function: str) -> NoReturn:
        """Refuse a function of ours that needs an engine.

        Args:
            function: Its name.
        """
        raise NotImplementedError
