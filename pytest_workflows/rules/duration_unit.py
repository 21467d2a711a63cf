"""duration-unit: the unit of a duration is none that the platform knows, and it reads milliseconds.

The engine notices it: it reads every duration.
"""

from .registry import register

register(
    "duration-unit",
    consequence="the platform does not know the unit and counts milliseconds",
    remedy="use second, minute, hour, day, week, month or year, in lower case",
)
