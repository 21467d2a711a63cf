"""The platform's Python: the table of what it cannot do, and what refuses that to a Worker's code.

The refusals belong here, and the table (`differences.json`), which `.ci/pyodide/compare.py` writes from what real
Pyodide does. Whose code runs, and what becomes of a use, belongs to who opens the refusals: `session`.
"""
