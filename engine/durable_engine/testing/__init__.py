"""What a test changes about a run, and what it learns of it: modifications, faults, findings, observers, effects.

What a workflow would do in production without a test does not belong here.
"""
