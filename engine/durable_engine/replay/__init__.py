"""Runs that are not real: the replay of an instance for a check, and a recording that is played back.

Code that both share with a real execution does not belong here.
"""
