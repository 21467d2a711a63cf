"""How commands write: the console, times and values in words, and the view of an instance while it runs.

What knows a command, a file or a project does not belong here.
"""
