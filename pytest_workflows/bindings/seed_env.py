"""What a seed gets as `env`: the Worker's stores, and nothing that would belong to a test."""

from __future__ import annotations

from typing import NoReturn

from durable_engine import InvalidArgumentError, WorkflowBinding

from .env_resolver import EnvResolver


class SeedEnv(EnvResolver):
    """Resolves the names of a seed's `env`."""

    def resolve(self, name: str) -> object:
        """The binding, variable or secret of that name; of a workflow or a queue, an object that refuses its use.

        Raises:
            KeyError: If there is none.
        """
        found = super().resolve(name)
        if isinstance(found, WorkflowBinding):
            return Refused(name, "create workflow instances")
        if getattr(getattr(found, "_binding", None), "_js_class", None) == "WorkerQueue":
            return Refused(name, "send messages")
        return found


class Refused:
    """A binding that a seed may not use.

    Args:
        name: Its name.
        what: What a seed may not do with it.
    """

    def __init__(self, name: str, what: str) -> None:
        self._name = name
        self._what = what

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise InvalidArgumentError(
            f"The seed uses env.{self._name}.{name}, and a seed may not {self._what}: they would belong to no test. Do "
            "that in the test, or in a fixture of it."
        )

    def __repr__(self) -> str:
        return f"<env.{self._name}, which a seed may not use>"
