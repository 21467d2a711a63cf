"""Executions: what runs an instance from its start or recovery to its end, with its steps and their operations.

What starts, stops or restarts instances does not belong here but to the engine; nor does what a test changes about one.
"""
