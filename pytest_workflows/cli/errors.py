"""The command's exit codes, and its errors: one line and a hint."""

from __future__ import annotations

OK = 0
NO = 1
USAGE = 2
INPUT = 3
BUG = 4

EXIT_CODES = (
    "Exit codes: 0 all is well, 1 the answer is no (the instance failed, the histories differ, a check found "
    "something), 2 wrong usage, 3 a file, project or account that cannot be read, 4 an error in pytest-workflows "
    "itself."
)


class CommandError(Exception):
    """An error that ends a command with one line and a hint.

    Args:
        message: The fact, in one line.
        hint: The next step.
        exit_code: The exit code of the command.
    """

    def __init__(self, message: str, hint: str = "", exit_code: int = INPUT) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code


class UsageError(CommandError):
    """An error in the command line: something that the command does not take."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint, USAGE)
