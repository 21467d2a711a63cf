"""Storage: the store of an engine, and the records that a test reads from it.

The memory of an execution does not belong here: no other room knows how anything is stored.
"""
