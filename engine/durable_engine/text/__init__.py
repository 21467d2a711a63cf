"""Values and paths as text: the same on every machine and in every process, and safe to print.

Code that decides about a run, or knows an instance, does not belong here: nothing of this room imports another one.
"""
