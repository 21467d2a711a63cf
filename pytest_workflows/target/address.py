"""Where a target is, and who asks there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pytest_workflows.account.credentials import API, credentials_from
from pytest_workflows.account.errors import AccountError

from .errors import OPTION, TargetError

_PATH = "/client/v4"
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
_HOW = "Set CLOUDFLARE_API_TOKEN, as for wrangler in CI, to one with the permission Workers Scripts: Edit."
_ANY_ACCOUNT = "local"
"""The account where the server is not the platform's: such a one takes any."""


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a target.

    Attributes:
        api: The platform's API, with `/client/v4`.
        worker: The Worker's own address; None where nobody said.
        account: The account's id; None for the only one that the token has.
        headers: The headers that say who asks; secret.
    """

    api: str
    worker: str | None
    account: str | None
    headers: Mapping[str, str] = field(repr=False, default_factory=dict)

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        return urlsplit(self.api).hostname in _LOCAL


def read_address(target: str, worker: str | None, environment: Mapping[str, str]) -> Address:
    """Read where a target is.

    Args:
        target: The address of a server of the API, with or without `/client/v4`.
        worker: The Worker's own address, where it is not the server's.
        environment: Variables by their names: the token and the account, as wrangler reads them.

    Raises:
        TargetError: If one of them is no address, or the platform is to be asked and there is no token.
    """
    parts = urlsplit(_checked(OPTION, target))
    path = parts.path.rstrip("/")
    if path not in ("", _PATH):
        raise TargetError(
            f"{OPTION}={target} has the path {path}. Give the address of a server, such as http://127.0.0.1:8787, or "
            f"that of the platform's API: {API}."
        )
    origin = f"{parts.scheme}://{parts.netloc}"
    is_platform = f"{origin}{_PATH}" == API
    try:
        credentials = credentials_from({**environment, "CLOUDFLARE_API_BASE_URL": origin})
    except AccountError as error:
        if is_platform:
            raise TargetError(f"{OPTION}={target}: {error.message} {_HOW}") from None
        credentials = None
    found = None if worker is None else _checked(f"{OPTION}-worker", worker).rstrip("/")
    return Address(
        f"{origin}{_PATH}",
        found or (None if is_platform else origin),
        (None if credentials is None else credentials.account) or (None if is_platform else _ANY_ACCOUNT),
        {} if credentials is None else credentials.headers,
    )


def _checked(option: str, text: str) -> str:
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        is_plain = not (parts.query or parts.fragment or parts.username)
    except ValueError:  # of the port, or of brackets
        is_address = is_plain = False
    if not (is_address and is_plain):
        raise TargetError(f"{option} takes the address of a server, such as http://127.0.0.1:8787, not {text!r}.")
    return text
