"""ignored-handler: a handler is a function such as `on_fetch`, which newer compatibility dates do not call.

Whatever looks for a handler notices it.
"""

from .registry import register

register(
    "ignored-handler",
    consequence="from compatibility date 2025-08-14 on nobody calls it: the Worker has no such handler",
    remedy="make it a method of `class Default(WorkerEntrypoint)`, or set the flag `disable_python_no_global_handlers`",
)
