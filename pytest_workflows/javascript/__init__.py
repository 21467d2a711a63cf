"""JavaScript's values as Python code on the platform holds them (Pyodide's view of them).

A value of JavaScript is here None (undefined), `jsnull`, a bool, a number, a text, a `JsBigInt` or an object: an
instance of a class of this room. What is JavaScript's, or the runtime's for every Worker (`Headers`, `URL`, streams),
belongs here. What the Python SDK makes of it belongs to `workers`, and what a binding does to `standins`.
"""
