"""different-state: after a crash the Worker's stores hold something else than without it.

Whoever explores a test notices it: it compares what the runs have left.
"""

from .registry import register

register(
    "different-state",
    consequence="an attempt whose result is lost is run again, and what it had written stays",
    remedy="write under a key that the second attempt knows again, or look first whether it is written",
)
