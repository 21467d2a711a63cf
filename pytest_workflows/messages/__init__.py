"""Helpers of messages: values and paths of users as text, and checks that a path can be written.

Nothing of ours is imported here: every other room may ask. Whole reports belong to `timeline` and `reporting`.
"""
