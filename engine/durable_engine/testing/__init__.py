"""Tools of a test: modifications, faults, findings, observers, effects.

Behaviour that a workflow has in production, without a test, does not belong here.
"""
