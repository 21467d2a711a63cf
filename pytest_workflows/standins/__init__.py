"""The stand-ins of the bindings, one file a kind: their arguments and results are values of JavaScript.

A binding's semantics, limits and error texts belong here, with its contents (`stores.py`). What the Python SDK makes of
a call belongs to `workers`, and which binding a name of `env` gets to `bindings`.
"""
