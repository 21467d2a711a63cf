"""lost-keys: a call of KV leaves out keys that it is given, without a word.

The stand-in of KV notices it.
"""

from .registry import register

register(
    "lost-keys",
    consequence="no error says so, and the Worker takes those keys for missing, or for deleted",
    remedy="give such keys one by one, or a prefix to all of them",
)
