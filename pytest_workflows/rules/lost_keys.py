"""lost-keys: KV loses keys of a call that names several.

The stand-in of the binding notices it.
"""

from .registry import register

register(
    "lost-keys",
    consequence="values that are there are missing from the answer, or keys stay that were to go",
    remedy="give keys a prefix that is no number, and delete them one by one",
)
