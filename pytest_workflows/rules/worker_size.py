"""worker-size: the Worker with its modules is larger than a Worker may be.

What is found of a project's files, before its first test.
"""

from .registry import register

register(
    "worker-size",
    consequence="the deploy is refused",
    remedy="leave out what it does not need, by `python_modules.exclude` in the configuration or by smaller packages",
    is_advice=True,
)
