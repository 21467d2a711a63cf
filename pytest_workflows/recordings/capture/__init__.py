"""How recordings are made: a test's engine is watched, and its instances are written to files.

What a recording is belongs to `format`.
"""
