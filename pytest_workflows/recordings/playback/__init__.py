"""The playback of recordings: the current source runs against one, and differences are reported.

The structure of a recording belongs to `format`, and its collection by pytest to `session/hooks`.
"""
