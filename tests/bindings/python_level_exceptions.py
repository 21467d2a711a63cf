"""Where an answer of the stand-ins is another one than was observed, and which observations have no answer here."""

DIFFERS = {
    # Two further batches were messages that an earlier observation had left in the queue.
    ("py.q.raise", "raise"): (
        "[([\"str 'm1'\", \"str 'm2'\"], [1, 1], 'ValueError: queue boom'), "
        "([\"str 'm1'\", \"str 'm2'\"], [2, 2], 'ValueError: queue boom'), "
        "([\"str 'm1'\", \"str 'm2'\"], [3, 3], 'ValueError: queue boom')]"
    ),
}
"""By record and label: what is expected in place of what was observed."""

LEFT_OUT = set()
"""Records and labels that cannot be asked here."""
