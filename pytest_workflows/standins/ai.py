"""Workers AI: a double that answers from a table of the test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_workflows.active_test import note_use
from pytest_workflows.errors import MissingBindingError
from pytest_workflows.javascript.objects import JsObject, js_text, promised
from pytest_workflows.javascript.rpc import python_from_rpc, python_to_rpc
from pytest_workflows.messages.short_repr import brief


class AiAnswers(JsObject, js_class="Ai"):
    """A stand-in for the binding of Workers AI, whose models answer what the test says.

    The test gives it through `workflow_bindings`; `calls_of` tells what was asked.

    Args:
        answers: By model: what it answers, or a function of the inputs that gives it; an exception is raised. Bytes
            arrive as a `memoryview`.

    Example:
        >>> @pytest.fixture
        ... def workflow_bindings():
        ...     return {"AI": AiAnswers({"@cf/meta/llama-3.1-8b-instruct": {"response": "hello"}})}
    """

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers

    @promised
    def run(self, model: Any = None, inputs: Any = None, options: Any = None) -> Any:
        """Run a model.

        Args:
            model: The model's name.
            inputs: What it is given.
            options: Without effect.
        """
        name = js_text(model)
        if name not in self._answers:
            error = MissingBindingError(f"env.AI.run({name!r}) was called", self._what_to_do(name), "AI")
            note_use(error)
            raise error
        answer = self._answers[name]
        if callable(answer) and not isinstance(answer, type):
            answer = answer(python_from_rpc(inputs))
        if isinstance(answer, BaseException):
            raise answer
        return python_to_rpc(answer)

    def _what_to_do(self, name: str) -> str:
        known = brief(", ".join(self._answers)) or "none"
        return f"the test has no answer of that model (it has: {known}). Give one: AiAnswers({{{name!r}: ...}})."
