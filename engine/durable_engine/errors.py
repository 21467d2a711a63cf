"""Every exception and every message text of the engine.

Two families live here. The first is what *user code* meets, because the platform raises it there: `JsException`,
`ConversionError` and `NonRetryableError`. The second is what a *test* meets: subclasses of `EngineError`, whose messages
start with what happened, go on with what was known, and end with what to do.
"""

from __future__ import annotations

# ---------------------------------------------------------------------------------------------------------------------
# What the platform raises inside user code
# ---------------------------------------------------------------------------------------------------------------------


class JsException(Exception):
    """A JavaScript error as Python code sees it on the platform (`pyodide.ffi.JsException`).

    Args:
        name: The JavaScript error's name, such as `"Error"` or `"DataCloneError"`.
        message: The JavaScript error's message.

    Source: docs/reference/fidelity.md, "Exceptions".
    """

    name: str
    message: str

    def __init__(self, name: str = "Error", message: str = "") -> None:
        super().__init__(name, message)
        self.name = name
        self.message = message

    def __str__(self) -> str:
        return f"{self.name}: {self.message}" if self.message else self.name


JsException.__module__ = "pyodide.ffi"


class ConversionError(Exception):
    """A value that cannot become a JavaScript value (`pyodide.ffi.ConversionError`)."""


ConversionError.__module__ = "pyodide.ffi"


class NonRetryableError(Exception):
    """Raised by a step to end it at once: no further attempt is made (`workers.workflows.NonRetryableError`)."""


NonRetryableError.__module__ = "workers.workflows"
