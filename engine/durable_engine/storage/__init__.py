"""Storage: the database of an engine, and what a test reads from it.

What an execution has in memory does not belong here, and nobody else speaks SQL.
"""
