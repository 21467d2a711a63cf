"""The account and its token: the environment variables that wrangler (4.164.0) reads, in wrangler's order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .errors import AccountError

API = "https://api.cloudflare.com/client/v4"
_HOW = (
    "Set CLOUDFLARE_API_TOKEN, as for wrangler in CI. The dashboard makes one under My Profile, API Tokens; it needs "
    "the permission Workers Scripts: Read."
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request needs.

    Attributes:
        headers: The headers that say who asks; secret.
        account: The account's id; None for the only one that the token has.
        api: The address of the API.
    """

    headers: Mapping[str, str] = field(repr=False)
    account: str | None = None
    api: str = API


def credentials_from(environment: Mapping[str, str], account: object = None) -> Credentials:
    """The credentials in the environment.

    Args:
        environment: Variables by their names.
        account: `account_id` of the wrangler configuration, which wins over the variable, as in wrangler.

    Raises:
        AccountError: If there are none, or they are none that a request can carry.
    """

    def get(name: str) -> str:
        # The names without LOUDFLARE are older, and wrangler still reads them.
        return (environment.get(f"CLOUDFLARE_{name}") or environment.get(f"CF_{name}") or "").strip()

    key, email, token = get("API_KEY"), get("EMAIL"), get("API_TOKEN")
    if key and email:
        headers = {"X-Auth-Key": key, "X-Auth-Email": email}
    elif token:
        headers = {"Authorization": f"Bearer {token}"}
    else:
        raise AccountError("there is no API token for the account.", _HOW)
    if not all(value.isascii() and value.isprintable() for value in headers.values()):
        raise AccountError("the API token of the environment is none: it has letters that no token has.", _HOW)
    api = get("API_BASE_URL") or API
    if not _is_address(api):
        raise AccountError(
            f"CLOUDFLARE_API_BASE_URL is {api!r}, which is no address of an API.",
            f"Leave it out, or give one like {API}.",
        )
    given = account if isinstance(account, str) and account else get("ACCOUNT_ID")
    return Credentials(headers, given or None, api.rstrip("/"))


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of the port, or of brackets
        return False
