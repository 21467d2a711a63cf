"""lost-write: a Durable Object writes and is aborted in the same call.

The stand-in of the binding notices it.
"""

from .registry import register

register(
    "lost-write",
    consequence="the write is undone, although it was awaited",
    remedy="await self.ctx.storage.sync() before the object is aborted",
)
