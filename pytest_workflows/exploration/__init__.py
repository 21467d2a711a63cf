"""Exploration: the runs of a test, with their crash points, interleavings and drawn values.

Code that plans runs and counts them belongs here, without pytest. The hooks that make pytest run a test again belong to
`session/hooks`.
"""
