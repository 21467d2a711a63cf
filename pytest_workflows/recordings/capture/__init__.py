"""The capture of recordings: a test's engine is observed, and its instances are written to files.

The structure of a recording belongs to `format`.
"""
