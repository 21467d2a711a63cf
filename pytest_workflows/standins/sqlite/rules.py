"""What the platform allows in SQL: limits, functions, PRAGMAs, names.

Source: workerd 1.20261117.1, observed; the platform's published list of PRAGMAs.
"""

from __future__ import annotations

import sqlite3
from typing import Final

LIMITS: Final = (
    (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 100_000),
    (sqlite3.SQLITE_LIMIT_COLUMN, 100),
    (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 100),
    (sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, 5),
    (sqlite3.SQLITE_LIMIT_VDBE_OP, 25_000),
    (sqlite3.SQLITE_LIMIT_FUNCTION_ARG, 127),
    (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
    (sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50),
    (sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 100),
    (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 10),
)
"""The limits of SQLite that the platform sets."""

_FUNCTION_NAMES: Final = """
    abs changes char coalesce concat concat_ws format glob hex ifnull iif instr last_insert_rowid length like likelihood
    likely load_extension lower ltrim max_scalar min_scalar nullif octet_length printf quote random randomblob replace
    round rtrim sign soundex substr substring total_changes trim typeof unhex unicode unlikely upper zeroblob
    date time datetime julianday unixepoch strftime timediff current_date current_time current_timestamp
    avg count group_concat max min string_agg sum total
    row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
    acos acosh asin asinh atan atan2 atanh ceil cos cosh degrees exp floor ln log log2 mod pi pow radians sin sinh sqrt
    tan tanh trunc
    json jsonb json_array jsonb_array json_array_length json_extract jsonb_extract -> ->> json_insert jsonb_insert
    json_object jsonb_object json_patch jsonb_patch json_remove jsonb_remove json_replace jsonb_replace json_set
    jsonb_set json_type json_valid json_quote json_group_array jsonb_group_array json_group_object jsonb_group_object
    json_each json_tree
    match highlight bm25 snippet
    rtreecheck
    sqlite_rename_column sqlite_rename_table sqlite_rename_test sqlite_drop_column sqlite_rename_quotefix
"""
_FUNCTIONS: Final = frozenset(_FUNCTION_NAMES.split())
"""The functions that may be called."""

NOT_BUILT_IN: Final = frozenset(
    ["soundex", "median", "percentile", "percentile_cont", "percentile_disc", "fts3_tokenizer", "optimize", "offsets"]
)
"""Functions that some builds of SQLite have, and the platform's has not."""

TABLES_NOT_BUILT_IN: Final = frozenset(
    ["dbstat", "sqlite_dbpage", "sqlite_stmt", "generate_series", "bytecode", "tables_used"]
)
"""Tables that some builds of SQLite have, and the platform's has not."""

_SWITCHES: Final = frozenset(
    [
        "case_sensitive_like",
        "defer_foreign_keys",
        "foreign_keys",
        "ignore_check_constraints",
        "legacy_alter_table",
        "recursive_triggers",
        "reverse_unordered_selects",
    ]
)
_OF_A_NAME: Final = frozenset(
    ["table_info", "table_xinfo", "foreign_key_list", "index_info", "index_list", "index_xinfo"]
)
_MODULES: Final = frozenset(["fts5", "fts5vocab", "rtree", "rtree_i32"])
_BOOLEANS: Final = ("true", "false", "yes", "no", "on", "off", "1", "0")
_TWO_NAMES: Final = frozenset(
    [sqlite3.SQLITE_CREATE_INDEX, sqlite3.SQLITE_DROP_INDEX, sqlite3.SQLITE_CREATE_TRIGGER, sqlite3.SQLITE_DROP_TRIGGER]
)
_ONE_NAME: Final = frozenset(
    [
        *(sqlite3.SQLITE_CREATE_TABLE, sqlite3.SQLITE_DELETE, sqlite3.SQLITE_DROP_TABLE, sqlite3.SQLITE_INSERT),
        *(sqlite3.SQLITE_CREATE_VIEW, sqlite3.SQLITE_DROP_VIEW, sqlite3.SQLITE_REINDEX, sqlite3.SQLITE_UPDATE),
        sqlite3.SQLITE_READ,
    ]
)
_ALWAYS: Final = frozenset([sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE, sqlite3.SQLITE_ANALYZE])
_OF_MODULES: Final = frozenset([sqlite3.SQLITE_CREATE_VTABLE, sqlite3.SQLITE_DROP_VTABLE])
_OF_TRANSACTIONS: Final = frozenset([sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_SAVEPOINT])


def is_transaction(action: int) -> bool:
    """Whether an action begins, ends or undoes a transaction."""
    return action in _OF_TRANSACTIONS


def is_allowed(action: int, first: str | None, second: str | None, database: str | None) -> bool:
    """Whether a statement may do something.

    Args:
        action: What, one of SQLite's authorizer codes.
        first: The code's first argument: in most cases a table's name.
        second: The code's second argument.
        database: `main` or `temp`, where it matters.
    """
    if action == sqlite3.SQLITE_ALTER_TABLE:
        first, second, database = second, None, first  # SQLite has the database first here
        return database in ("main", None) and _is_free(first)
    if database == "temp":
        return action in (sqlite3.SQLITE_READ, sqlite3.SQLITE_UPDATE) and _is_free(first)
    if database not in ("main", None):
        return False
    if action in _ONE_NAME:
        return _is_free(first) and not (action == sqlite3.SQLITE_READ and first in TABLES_NOT_BUILT_IN)
    if action in _ALWAYS:
        return True
    if action == sqlite3.SQLITE_FUNCTION:
        name = (second or "").lower()
        return name in _FUNCTIONS and name not in NOT_BUILT_IN
    if action in _TWO_NAMES:
        return _is_free(first) and _is_free(second)
    if action == sqlite3.SQLITE_PRAGMA:
        return _is_allowed_pragma(first or "", second)
    return action in _OF_MODULES and (second or "").lower() in _MODULES


def _is_free(name: str | None) -> bool:
    """Whether a name is not one of the platform's own."""
    return name is None or name[:4].lower() != "_cf_"


def _is_allowed_pragma(name: str, argument: str | None) -> bool:
    name = name.lower()
    if name in _SWITCHES:
        return argument is None or argument.strip("'\"").lower().startswith(_BOOLEANS)
    if name in _OF_A_NAME:
        return argument is not None and _is_free(argument)
    match name:
        case "table_list":
            return True
        case "data_version" | "page_size":
            return argument is None
        case "foreign_key_check" | "quick_check":
            return _is_free(argument)
        case "optimize":
            return argument is None or _is_integer(argument)
        case _:
            return False


def _is_integer(text: str) -> bool:
    try:
        int(text, 0)
    except ValueError:
        return False
    return True
