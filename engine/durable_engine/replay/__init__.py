"""Runs that are not real: the replay of an instance for a check, and a recording that is played back.

What both share with a real execution does not belong here.
"""
