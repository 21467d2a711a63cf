"""wait-until-coroutine: `ctx.waitUntil` of a Durable Object is given a coroutine.

The stand-in of the binding notices it.
"""

from .registry import register

register(
    "wait-until-coroutine",
    consequence="the coroutine is never run",
    remedy="give it a task: asyncio.create_task(...)",
)
