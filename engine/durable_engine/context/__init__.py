"""Whose code it is: the scope that runs now, the tasks that it started, and whose frames a stack has.

What stops code, lets it wait, or tells anybody of it does not belong here; this room only says whose it is.
"""
