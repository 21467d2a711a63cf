"""handler-arguments: a `queue` or `scheduled` handler takes other arguments than the three that it is called with.

The stand-in of the binding notices it.
"""

from .registry import register

register(
    "handler-arguments",
    consequence="the call is a TypeError: no message is handled, and no cron trigger does anything",
    remedy="take the three: self, batch (or controller), env, ctx",
)
