"""Introspection: how a test sees and steers instances, by introspectors, the modifier, the clock and fault plans.

The API that a test calls on an instance or a workflow belongs here. Its waits and modifications work in the engine;
an instance is printed by `timeline`.
"""
