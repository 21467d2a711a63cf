"""Expressions of instance ids: the kinds of value that an id is made of, as far as the names say."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal

from pytest_workflows.sources.syntax import SourceFile, assigned_to

from .call_names import words_of

IdKind = Literal["unique", "recurring", "date", "constant", "unknown"]

_UNIQUE = frozenset(
    (
        *("order", "orders", "transaction", "txn", "tx", "invoice", "payment", "charge", "purchase", "checkout"),
        *("booking", "reservation", "ticket", "shipment", "delivery", "parcel", "cart", "claim", "case", "contract"),
        *("uuid", "uuid4", "uuid1", "uuid7", "guid", "ulid", "nanoid", "random", "token", "nonce", "hex", "urlsafe"),
        *("timestamp", "time", "now", "ms", "millis", "seconds", "epoch", "clock", "scheduled"),
        *("request", "message", "event", "webhook", "delivery", "correlation", "trace", "idempotency", "dedup"),
        *("job", "task", "run", "attempt", "execution", "instance", "workflow", "process", "operation", "batch"),
        *("counter", "count", "sequence", "seq", "serial", "number", "index", "offset", "position", "next", "unique"),
        *("upload", "file", "document", "doc", "object", "path", "folder", "url", "uri", "commit", "sha", "digest"),
        *("comment", "post", "article", "page", "issue", "pull", "pr", "review", "submission", "application"),
        *("build", "deploy", "deployment", "release", "version", "snapshot", "import", "export", "report", "item"),
    )
)
_RECURRING = frozenset(
    (
        *("user", "users", "customer", "account", "client", "member", "person", "owner", "author", "tenant"),
        *("organization", "organisation", "org", "company", "merchant", "vendor", "supplier", "team", "group"),
        *("email", "mail", "address", "phone", "username", "login", "session", "device", "subscriber", "patient"),
        *("employee", "student", "household", "shop", "store", "seller", "buyer", "driver", "admin"),
    )
)
_DATES = frozenset(("date", "day", "today", "week", "weekday", "month", "year", "hour"))
_NEUTRAL = frozenset(
    (
        *("id", "ids", "key", "value", "payload", "body", "data", "params", "event", "request", "json", "options"),
        *("self", "env", "ctx", "input", "args", "kwargs", "content", "headers", "header", "query", "x", "info"),
        *("current", "the", "my", "get", "object", "attributes", "properties", "fields", "result", "response", "slug"),
    )
)
_CONVERSIONS = frozenset(
    (
        *("str", "int", "repr", "hash", "abs", "quote", "slugify", "md5", "sha1", "sha256", "sha512", "blake2b"),
        *("hexdigest", "digest", "encode", "decode", "lower", "upper", "strip", "lstrip", "rstrip", "replace"),
        *(
            "removeprefix",
            "removesuffix",
            "casefold",
            "title",
            "zfill",
            "join",
            "format",
            "b64encode",
            "dumps",
            "isoformat",
        ),
    )
)
_DATE_PARTS = frozenset(("date", "isocalendar", "weekday", "isoweekday", "toordinal"))
_TIME_DIRECTIVES = ("%H", "%I", "%M", "%S", "%f", "%s", "%X", "%c", "%T", "%p")
_DEPTH = 6


def kinds_in(source: SourceFile, node: ast.expr) -> set[IdKind]:
    """The kinds of value that an expression is made of.

    Args:
        source: The file of the expression.
        node: The expression.

    Returns:
        `unique`: comes once, such as an order; `recurring`: may come again, such as a user; `date`; `constant`;
        `unknown`: the names do not say.
    """
    return set(_kinds(source, node, _DEPTH))


def _kinds(source: SourceFile, node: ast.AST, depth: int) -> Iterator[IdKind]:
    if depth == 0:
        yield "unknown"
        return
    parts: list[ast.expr] | None = None
    if isinstance(node, ast.Constant):
        yield "constant"
    elif isinstance(node, ast.JoinedStr):
        parts = list(node.values)
    elif isinstance(node, ast.FormattedValue):
        yield from _formatted(source, node, depth)
    elif isinstance(node, ast.BinOp):
        parts = [node.left, node.right]
    elif isinstance(node, ast.Tuple | ast.List):
        parts = node.elts
    elif isinstance(node, ast.BoolOp):
        parts = node.values
    elif isinstance(node, ast.IfExp):
        parts = [node.body, node.orelse]
    elif isinstance(node, ast.Call):
        yield from _called(source, node, depth)
    else:
        yield from _named(source, node, depth)
    for part in parts or ():
        yield from _kinds(source, part, depth - 1)


def _formatted(source: SourceFile, node: ast.FormattedValue, depth: int) -> Iterator[IdKind]:
    form = "" if node.format_spec is None else ast.unparse(node.format_spec)
    if "%" in form:
        yield _of_format(form)
    else:
        yield from _kinds(source, node.value, depth - 1)


def _called(source: SourceFile, call: ast.Call, depth: int) -> Iterator[IdKind]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
    if name == "strftime":
        yield _of_format("".join(map(_text, call.args)))
    elif name == "get" and call.args and _text(call.args[0]):  # a dict's, or a request's headers'
        yield _of_components([_text(call.args[0]), *_components(receiver)])
    elif name in _CONVERSIONS or (name in _DATE_PARTS and receiver is not None):
        inner = [*call.args, *([] if receiver is None or _is_module(receiver) else [receiver])]
        made = {one for part in inner for one in _kinds(source, part, depth - 1)}
        # The date of a point in time is no longer that point in time.
        if name in _DATE_PARTS and made <= {"unique", "date", "unknown"}:
            yield "date"
        else:
            yield from made
    else:
        yield _of_components([name])


def _named(source: SourceFile, node: ast.AST, depth: int) -> Iterator[IdKind]:
    """A variable, with the attributes and keys behind it; what was assigned to it says more than its name."""
    named = _of_components(_components(node))
    found: list[IdKind] = []
    if isinstance(node, ast.Name) and named != "unique":
        assigned = assigned_to(source, node)
        if assigned is not None:
            found = list(_kinds(source, assigned, depth - 1))
    yield from [named] if not found or "unknown" in found else found


def _components(node: ast.AST | None) -> list[str]:
    """The names of `event["payload"]["user"].id`, the last one first."""
    names: list[str] = []
    while node is not None:
        following: ast.AST | None = None
        if isinstance(node, ast.Await):
            following = node.value
        elif isinstance(node, ast.Attribute):
            names.append(node.attr)
            following = node.value
        elif isinstance(node, ast.Subscript):
            names.append(_text(node.slice))
            following = node.value
        elif isinstance(node, ast.Call):
            following = node.func
        elif isinstance(node, ast.Name):
            names.append(node.id)
        else:
            names.append("")
        node = following
    return names


def _of_components(names: list[str]) -> IdKind:
    """The kind that a chain of names says; the last name says most, and one that says nothing is skipped."""
    is_named = False
    for name in names:
        words = set(words_of(name))
        if not words or words <= _NEUTRAL:
            if not words:
                return "unknown"
            continue
        if words <= _NEUTRAL | {"name"}:
            is_named = True
        elif words & _UNIQUE:
            return "unique"
        elif words & _RECURRING:
            return "recurring"
        else:
            return "date" if words & _DATES else "unknown"
    return "recurring" if is_named else "unknown"


def _of_format(form: str) -> IdKind:
    """The kind of a point in time in a format: still one, or a date."""
    return "unique" if any(directive in form for directive in _TIME_DIRECTIVES) else "date"


def _text(node: ast.AST) -> str:
    """The text that a literal is; empty for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _is_module(node: ast.AST) -> bool:
    """Whether a receiver is a module, as in `hashlib.sha256(...)`."""
    return isinstance(node, ast.Name) and node.id in ("hashlib", "base64", "json", "urllib", "parse")
