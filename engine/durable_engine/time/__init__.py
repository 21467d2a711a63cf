"""Virtual time: the clock, who goes first at one time, and how a test waits while time moves.

Limits of real time, and what ends code that overruns them, do not belong here but to the guard.
"""
