"""The Worker of a test, served to browsers and other clients: a server in a thread of its own, on the test's loop.

What pytest asks of a test does not belong here, nor does the control plane's own code.
"""
