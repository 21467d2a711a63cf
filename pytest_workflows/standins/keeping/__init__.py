"""The contents of bindings on disk: what a Worker that runs for a person has written outlives its process.

Each kind of store has a file here, which says how its contents are laid out; the store itself stays the one of a test
and hands each write to it first. What is written is in the file when the call returns (`state_file.py`): the end of the
process, at any moment, loses nothing of it. What a binding makes of its contents belongs to the binding, and how an
engine keeps its instances to the engine.
"""

from .keeper import Keeper
from .state_file import KeeperError, unusable

__all__ = ["Keeper", "KeeperError", "unusable"]
