"""documented-limit: a call goes beyond a limit that Cloudflare documents and its local runtime does not enforce.

The stand-in of the binding notices it.
"""

from .registry import register

register(
    "documented-limit",
    consequence="it is refused, or cut off, although it works while you develop",
    remedy="stay below the limit",
)
