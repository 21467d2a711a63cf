"""How commands write: the console, times and values in words, and the view of an instance while it runs.

No command, no file and no project is known here.
"""
