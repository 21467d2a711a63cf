"""How values and paths of users are shown in messages, and whether a path can be written.

Nothing of ours is imported here: every other room may ask. Whole reports belong to `timeline` and `reporting`.
"""
