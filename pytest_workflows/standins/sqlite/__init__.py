"""SQLite as the platform sets it up, under D1 and under a Durable Object's `sql`.

What is allowed (`rules.py`), how its errors read (`errors.py`), and where its clock and its chance come from
(`functions.py`). What a binding makes of it belongs to the binding.
"""

from .database import SqliteDatabase
from .errors import SqlError

__all__ = ["SqlError", "SqliteDatabase"]
