"""Keeps the event loop of a test alive, and ends what does not end: the watchdog, unwinding, task teardown, threads.

What a workflow may do, and how long it may sleep in virtual time, does not belong here: this room knows real time.
"""
