"""What the platform's Python cannot do: the table of it, and what refuses it to a Worker's code.

The table (`differences.json`) is written by `.ci/pyodide/compare.py` from what real Pyodide does. Nothing here knows of
a binding, a test or a configuration; whose code runs, and what becomes of a use, is said by who opens the refusals.
"""
