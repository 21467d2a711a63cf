"""Analysis of a Worker's source and of values, for the rules: no rule is here, and no analysis adds a finding.

Each file answers one question, such as whether an `except` catches a failure. What says whose code a frame runs, and
what parses a source, belongs to `pytest_workflows/sources/`: others need it as well.
"""
