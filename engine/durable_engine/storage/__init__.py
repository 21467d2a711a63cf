"""Storage: the database of an engine, and the records that a test reads from it.

The memory of an execution does not belong here, and no other room speaks SQL.
"""
