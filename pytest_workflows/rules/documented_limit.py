"""documented-limit: a call is beyond a limit that Cloudflare documents and the local runtime does not enforce.

The stand-in of the binding notices it.
"""

from .registry import register

register(
    "documented-limit",
    consequence="the call may fail, or do without what is too much",
    remedy="stay within the limit, in several calls if need be",
)
