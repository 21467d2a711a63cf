"""lost-acknowledgement: messages are acknowledged, and then the whole batch is delivered again.

The stand-in of the binding notices it.
"""

from .registry import register

register(
    "lost-acknowledgement",
    consequence="an acknowledged message comes again, and is handled twice",
    remedy="let a handler that has acknowledged messages end well, and call retry() of those that are to come again",
)
