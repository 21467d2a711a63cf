"""differs-on-platform: the Worker's source does what gives another value on the platform's Python, in silence.

It is read off the source where the module is imported, with the table of the interpreter.
"""

from .registry import register

register(
    "differs-on-platform",
    consequence="the code goes on with the other value",
    remedy="do not depend on it: a fixed size or format in place of the machine's, the clock where the value is used",
)
