"""The guard of a test's event loop against code that does not end: watchdog, unwinding, task teardown, threads.

Limits of a workflow, and of sleeps in virtual time, do not belong here: this room knows real time.
"""
