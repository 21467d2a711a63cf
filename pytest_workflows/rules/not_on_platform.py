"""not-on-platform: the Worker's code does what the platform's Python refuses.

The refusals of the interpreter notice it, and raise what the platform raises.
"""

from .registry import register

register(
    "not-on-platform",
    consequence="it raises there as it did here",
    remedy="do without it: with await in place of a thread, a binding or fetch in place of a process or a connection",
)
