"""Where an answer of the stand-ins is another one than was observed, and which observations have no answer here."""

DIFFERS = {
    ("py.q.raise", "raise"): (
        "[([\"str 'm1'\", \"str 'm2'\"], [1, 1], 'ValueError: queue boom'), "
        "([\"str 'm1'\", \"str 'm2'\"], [2, 2], 'ValueError: queue boom'), "
        "([\"str 'm1'\", \"str 'm2'\"], [3, 3], 'ValueError: queue boom')]",
        "two further batches were messages that an earlier observation had left in the queue",
    ),
}
"""By record and label: what is expected in place of what was observed, and why."""

LEFT_OUT_RECORDS = {}
"""Records that are not asked, and why."""

LEFT_OUT = {}
"""Records and labels that cannot be asked here, and why."""
