"""Idempotency of a call on a service: what its name, its SQL, its HTTP method and its arguments say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from durable_engine import Effect, Instance

from .call_names import is_http, last_name, words_of
from .create_calls import CREATES, options_of

Repeat = Literal["harmless", "harmful", "unknown"]

_READS = frozenset(
    (
        *("get", "list", "head", "first", "all", "raw", "select", "find", "query", "read", "fetch", "status", "match"),
        *("describe", "search", "count", "exist", "exists", "has", "is", "are", "can", "contains", "peek", "look"),
        *("lookup", "check", "ready", "validate", "verify", "info", "details", "show", "view", "load", "download"),
        *("poll", "wait", "ping", "health", "version", "size", "keys", "values", "items", "inspect", "history"),
        *("preview", "options", "retrieve", "resolve"),
        *("text", "json", "bytes", "blob", "body", "array", "form", "prepare", "bind", "dump"),
    )
)
_COMPUTATIONS = frozenset(
    (
        *("classify", "embed", "embeddings", "embedding", "scan", "score", "rank", "predict", "infer", "evaluate"),
        *("summarize", "summarise", "translate", "transcribe", "detect", "recognize", "extract", "parse", "analyze"),
        *("analyse", "compute", "calculate", "estimate", "quote", "render", "convert", "transform", "complete"),
        *("completion", "completions", "chat", "generate", "prompt", "tokenize", "hash", "encode", "decode", "format"),
    )
)
_IDEMPOTENT = frozenset(
    (
        *("put", "set", "upsert", "delete", "remove", "del", "replace", "ensure", "mark", "enable", "disable"),
        *("clear", "purge", "reset", "unset", "overwrite", "update", "save", "store", "write", "expire", "touch"),
        *("lock", "unlock", "activate", "deactivate", "cancel", "close", "archive", "unsubscribe", "terminate"),
        *("pause", "resume", "abort", "sync", "ack", "acknowledge"),
    )
)
_HARMFUL = frozenset(
    (
        *("charge", "pay", "refund", "send", "create", "insert", "add", "append", "increment", "incr", "decrement"),
        *("push", "enqueue", "publish", "post", "transfer", "withdraw", "deposit", "book", "order", "ship", "submit"),
        *("notify", "email", "mail", "sms", "emit", "dispatch", "invoice", "bill", "credit", "debit", "capture"),
        *("start", "launch", "trigger", "spawn", "buy", "purchase", "reserve", "restart"),
    )
)
_SAFE_HTTP = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE"))
_MODEL = re.compile(r"@(cf|hf)/")

_SPEAKS_SQL = frozenset(("prepare", "exec", "execute", "executemany", "query", "sql", "raw", "run", "all", "first"))
_SQL = re.compile(r"\s*(select|insert|update|delete|replace|with|create|drop|alter|pragma|explain)\b", re.IGNORECASE)
_QUERY = re.compile(r"\s*(select|pragma|explain|with)\b", re.IGNORECASE)
_CHANGES = re.compile(r"\b(?:insert|update)\b.*", re.IGNORECASE | re.DOTALL)
_TOLERANT = re.compile(r"\bor\s+(ignore|replace)\b|\bon\s+(conflict|duplicate)\b|\bnot\s+exists\b", re.IGNORECASE)
_RELATIVE = re.compile(r"([\w.\"`]+)\s*=\s*(?:\w+\()?\s*\1\s*(?:[-+*/|,]|\|\|)", re.IGNORECASE)

_KEY_NAME = re.compile(r"idempoten|dedup|request.?id|client.?token|nonce", re.IGNORECASE)
_KEYISH = frozenset(("key", "id", "ref", "reference", "token", "request", "transaction", "job"))
_DEPTH = 4


def classify_repeat(effect: Effect, instance: Instance) -> Repeat:
    """Classify what a second call does: nothing, the same effect again, or what nobody knows.

    Args:
        effect: The call.
        instance: The instance that made the call.
    """
    if effect.service in instance.engine.bindings:
        return _of_workflow(effect)
    return classify_call(effect)


def classify_call(effect: Effect) -> Repeat:
    """Classify what a second call of anything but a workflow does."""
    sql = list(_statements(effect))
    if sql:
        return "harmful" if any(map(_accumulates, sql)) else "harmless"
    verb = _http_verb(effect)
    if verb is not None:
        return _of_request(verb, effect)
    name = last_name(effect)
    if name == "run" and any(isinstance(arg, str) and _MODEL.match(arg) for arg in effect.args):
        return "harmless"  # Workers AI
    return _of_words(words_of(name or effect.service))


def may_write(effect: Effect) -> bool:
    """Whether a call may change something, as far as its name and its SQL say."""
    sql = list(_statements(effect))
    if sql:
        return any(not _QUERY.match(one) or _CHANGES.search(one) for one in sql)
    words = words_of(last_name(effect) or effect.service)
    return not words or not (words[0] in _READS or words[0] in _COMPUTATIONS)


def _of_words(words: list[str]) -> Repeat:
    if not words:
        return "unknown"
    if words[0] in _READS or words[0] in _COMPUTATIONS or words[0] in _IDEMPOTENT:
        return "harmless"
    return "harmful" if words[0] in _HARMFUL else "unknown"


def _of_workflow(effect: Effect) -> Repeat:
    # A create without an id, a restart and an event happen again; an id makes the second create fail.
    if effect.method in CREATES:
        batch = options_of(effect.args, effect.kwargs)
        have_ids = all(isinstance(one, Mapping) and one.get("id") is not None for one in batch)
        return "harmless" if have_ids else "harmful"
    return "harmful" if effect.method in ("send_event", "restart") else "harmless"


def _http_verb(effect: Effect) -> str | None:
    if is_http(effect):
        return effect.method.partition(" ")[0]
    if last_name(effect) != "fetch":
        return None
    options = effect.args[1] if len(effect.args) > 1 and isinstance(effect.args[1], Mapping) else effect.kwargs
    return str(options.get("method") or getattr(effect.args[0] if effect.args else None, "method", "GET")).upper()


def _of_request(verb: str, effect: Effect) -> Repeat:
    if verb in _SAFE_HTTP:
        return "harmless"
    if verb == "PATCH":
        return "unknown"
    last = words_of(effect.method.rstrip("/").rpartition("/")[2])
    return "harmless" if last and (last[0] in _READS or last[0] in _COMPUTATIONS) else "harmful"


# -- SQL ---------------------------------------------------------------------------------------------------------------


def _statements(effect: Effect) -> Iterator[str]:
    """The SQL that a call runs: its own, that of the call it was made on, or that of the statements it was given."""
    first = effect.args[0] if effect.args else None
    if last_name(effect) in _SPEAKS_SQL and isinstance(first, str) and _SQL.match(first):
        yield first
        return
    before: tuple[Effect, ...] = effect.given or (() if effect.origin is None else (effect.origin,))
    for one in before:
        yield from _statements(one)


def _accumulates(sql: str) -> bool:
    """Whether running a statement twice leaves something else than running it once."""
    match = _SQL.match(sql)
    assert match is not None
    verb = match[1].lower()
    if verb == "with":
        return any(
            _accumulates(part) for part in re.findall(r"\b(?:insert|update)\b.*", sql, re.IGNORECASE | re.DOTALL)
        )
    if verb == "insert":
        return not _TOLERANT.search(sql) or bool(_RELATIVE.search(sql))
    return verb == "update" and bool(_RELATIVE.search(sql))


# -- keys --------------------------------------------------------------------------------------------------------------


def key_of(effect: Effect, instance: Instance) -> tuple[str, ...]:
    """The keys by which a service knows the second call for the first; empty where there is none.

    A key is a value under a name that says so (`idempotency-key`), or one that holds the instance's id under a name
    such as `id`, or as an argument of its own.
    """
    found = [value for value in effect.args if _is_derived(value, instance)]
    for name, value in _named((effect.args, effect.kwargs)):
        if value is None or isinstance(value, Mapping | list | tuple):
            continue
        if _KEY_NAME.search(name) or (_is_derived(value, instance) and not _KEYISH.isdisjoint(words_of(name))):
            found.append(value)
    return tuple(map(str, found))


def has_reference(effect: Effect) -> bool:
    """Whether a call names something by an id or a reference, by which the service may know it again or may not."""
    return any(
        isinstance(value, str | int) and not _KEYISH.isdisjoint(words_of(name))
        for name, value in _named((effect.args, effect.kwargs))
    )


def _is_derived(value: object, instance: Instance) -> bool:
    """Whether a value is a name made of the instance's id, no text or URL that has it in it."""
    return isinstance(value, str) and instance.id in value and re.fullmatch(r"[\w.:#@=+-]+", value) is not None


def _named(value: Any, depth: int = _DEPTH) -> Iterator[tuple[str, Any]]:
    """The named values in arguments: of dicts, of pairs as in a list of headers, of JSON, of a request's headers."""
    if depth == 0:
        return
    if isinstance(value, str):
        value = _json(value)
    headers = getattr(value, "headers", None)
    if isinstance(headers, Mapping):
        value = headers
    if isinstance(value, Mapping):
        pairs: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list | tuple):
        pairs = [one for one in value if isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], str)]
        for one in value:
            yield from _named(one, depth - 1)
    else:
        pairs = ()
    for name, item in pairs:
        yield str(name), item
        yield from _named(item, depth - 1)


def _json(text: str) -> object:
    if not text.startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None
