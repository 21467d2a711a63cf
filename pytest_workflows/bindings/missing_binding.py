"""A binding that the configuration declares, that we do not provide, and that the test has not faked."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

from pytest_workflows.active_test import note_use
from pytest_workflows.errors import MissingBindingError


class MissingBinding:
    """A stand-in that may be held and handed on; a use raises an error that says how to provide the binding.

    Args:
        name: The binding's name, `DB`.
        kind: The configuration's name for it, `d1_databases`.
        config: The configuration.
        why: Why it is not there, where that is known; whole sentences.
        in_test: Whether a test could give it.
    """

    __slots__ = ("_config", "_in_test", "_kind", "_name", "_why")

    def __init__(self, name: str, kind: str, config: Path, why: str | None = None, in_test: bool = True) -> None:
        self._set(_name=name, _kind=kind, _config=config, _why=why, _in_test=in_test)

    def _set(self, **values: object) -> None:
        for slot, value in values.items():
            object.__setattr__(self, slot, value)  # to set anything else is a use

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._name, self._kind, self._config, self._why, self._in_test)

    def __repr__(self) -> str:
        return f"<binding {self._name!r} ({self._kind} in {self._config.name}), which this test does not provide>"

    def _touched(self, how: str) -> NoReturn:
        error = MissingBindingError(how, self._what_to_do(), self._name)
        note_use(error)
        raise error

    def _what_to_do(self) -> str:
        why = "" if self._why is None else f"{self._why} "
        if not self._in_test:
            return (
                f"the binding {self._name!r} ({self._kind} in {self._config}) is not provided here. {why}"
                "Nothing stands in for it but what a test gives, by the fixture workflow_bindings."
            )
        return (
            f"the binding {self._name!r} ({self._kind} in {self._config}) is not provided here. "
            f"{why}Give the test a stand-in for it, in the test file or in "
            "conftest.py:\n\n"
            "    @pytest.fixture\n"
            "    def workflow_bindings():\n"
            f'        return {{"{self._name}": {self._fake()}}}'
        )

    def _fake(self) -> str:
        if self._kind == "ai":
            return 'pytest_workflows.AiAnswers({"@cf/...": {"response": "..."}})'
        return f"Fake{_camel(self._name)}()"

    def __getattr__(self, name: str) -> NoReturn:
        # Tools that inspect any object (pytest, copy, inspect, mock) ask for names like `__wrapped__` and
        # `_is_coroutine`; none of them is a use, and no binding of the platform has one.
        if name.startswith("_"):
            raise AttributeError(name)
        self._touched(f"env.{self._name}.{name} was used")

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        self._touched(f"env.{self._name}.{name} was set")

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise, as for any other use."""
        self._touched(f"env.{self._name}(...) was called")

    def __getitem__(self, key: Any) -> NoReturn:
        self._touched(f"env.{self._name}[{key!r}] was used")

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        self._touched(f"env.{self._name}[{key!r}] was set")

    def __bool__(self) -> bool:
        return True  # `if env.DB:` asks whether it is configured, and it is

    def __len__(self) -> NoReturn:
        self._touched(f"len(env.{self._name}) was taken")

    def __iter__(self) -> NoReturn:
        self._touched(f"env.{self._name} was iterated over")

    def __aiter__(self) -> NoReturn:
        self._touched(f"env.{self._name} was iterated over")

    def __await__(self) -> NoReturn:
        self._touched(f"env.{self._name} was awaited")


class ForeignWorkflow(MissingBinding):
    """The binding of a workflow whose class is part of another Worker.

    Args:
        name: The binding's name, `BILLING`.
        class_name: The workflow's class in the other Worker.
        script: The other Worker's name.
        place: File and line of the configuration that say so.
        why: Why that Worker is not there.
    """

    __slots__ = ("_class_name", "_place", "_script")

    def __init__(self, name: str, class_name: str, script: str, place: str, why: str) -> None:
        self._set(_name=name, _class_name=class_name, _script=script, _place=place, _why=why)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._name, self._class_name, self._script, self._place, self._why)

    def __repr__(self) -> str:
        return f"<binding {self._name!r} (a workflow of the Worker {self._script!r}), which this test does not provide>"

    def _what_to_do(self) -> str:
        return (
            f"the workflow of the binding {self._name!r} lives in another Worker, {self._script!r} ({self._place}): "
            f"{self._why}. Or give the test its class, or one that stands in for it, in the test file or in "
            "conftest.py:\n\n"
            "    @pytest.fixture\n"
            "    def workflow_bindings():\n"
            f'        return {{"{self._name}": {self._class_name}}}'
        )


_FETCHERS = frozenset({"browser", "dispatch_namespaces", "mtls_certificates", "vpc_services"})
_WRAPPED = frozenset({"ai", "images", "vectorize"})


def missing_binding(name: str, kind: str, config: Path, why: str | None = None, *, in_test: bool = True) -> object:
    """The stand-in of a binding that nobody provides, in the wrapper that the SDK puts around one of its kind.

    Args:
        name: The binding's name.
        kind: The configuration's name for it.
        config: The configuration.
        why: Why it is not there, where that is known; whole sentences.
        in_test: Whether a test could give it.
    """
    binding = MissingBinding(name, kind, config, why, in_test)
    if kind not in _FETCHERS and kind not in _WRAPPED:
        return binding
    from pytest_workflows.workers.binding_wrappers import BindingWrapper, FetcherWrapper

    return FetcherWrapper(binding) if kind in _FETCHERS else BindingWrapper(binding)


def refuse_missing(value: object, function: str) -> None:
    """Refuse a binding that nobody provides to a function that takes one; anything else is not looked at.

    Args:
        value: The function's argument.
        function: The function's name.

    Raises:
        MissingBindingError: If it is such a binding.
    """
    if isinstance(value, MissingBinding):
        value._touched(f"{function}(env.{value._name}) was called")


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
