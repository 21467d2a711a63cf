"""Options that a binding does not have: the platform ignores them in silence, and a finding names them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pytest_workflows.javascript.objects import JsPlain

if TYPE_CHECKING:
    from .host import Host


def warn_of_unknown_options(host: Host, call: str, options: Any, known: Sequence[str]) -> None:
    """Report each option that a call does not have, such as `expiration_ttl` for `expirationTtl`.

    Args:
        host: The test.
        call: The call, as a reader knows it: `env.KV.put(...)`.
        options: The options, of JavaScript; anything but a plain object has none.
        known: The options that it has.
    """
    if not isinstance(options, JsPlain):
        return
    for name in options._entries:
        if name not in known:
            host.warn("unknown-option", _problem(call, name, known))


def _problem(call: str, name: str, known: Sequence[str]) -> str:
    meant = re.sub(r"_(\w)", lambda found: found[1].upper(), name)
    hint = f"; did you mean `{meant}`?" if meant in known else f" (there are {', '.join(known)})"
    return f"{call} has no option `{name}`{hint}"
