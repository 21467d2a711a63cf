"""The context of running code: its scope, the tasks that it started, and the user's frames of its stack.

Code that stops other code, lets it wait, or notifies of it does not belong here; this room only says whose it is.
"""
