"""What is done with a recording: the current source runs against it, and differences are said.

What a recording is belongs to `format`, and how pytest collects recordings to `session/hooks`.
"""
