"""Executions: the runs of an instance from its start or recovery to its end, with its steps and their operations.

Code that starts, stops or restarts instances belongs to the engine; changes that a test makes, to `testing`.
"""
