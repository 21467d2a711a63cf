"""Virtual time: the clock, the interleaving, and the waits of a test while time moves.

Limits of real time, and code that enforces them, belong to the guard.
"""
