"""abandoned-wait: a wait is cancelled while it waits, and swallows the next event of its type.

The engine notices it: it knows which waits were cancelled.
"""

from .registry import register

register(
    "abandoned-wait",
    consequence="the cancelled wait stays, and swallows the next event of its type",
    remedy="let it time out, or take what it received",
)
