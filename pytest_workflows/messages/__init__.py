"""How values, paths and texts of users are shown in messages, and whether a path can be written.

Every other room asks here, so nothing of theirs is imported; of the engine, its stable form of values alone, when there
is one to show. Whole reports belong to `timeline` and `reporting`, and what a message says to the room that says it.
"""
