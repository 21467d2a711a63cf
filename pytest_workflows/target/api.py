"""The platform's API of a target, asked on the test's loop."""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from durable_engine import FINAL_STATUSES, JsException
from pytest_workflows.messages.short_repr import brief, shown

from .address import Address
from .errors import OPTION, TargetError

T = TypeVar("T")

OUTPUTS = "workflows-outputs"
"""The header of a server that says that outputs are JSON texts."""
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
"""Statuses that the next request may not have."""
_REFUSED = frozenset({401, 403})
_PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds between requests that fail."""
_PAUSES_HERE = (0.1, 0.4)
"""The same on this machine, where a server that does not answer seldom comes back."""
LOOK = 10.0
"""Seconds that one look of a wait may take, however little of the wait is left."""
_PER_PAGE = 100
_MOST_PAGES = 50


class ApiRefusal(JsException):
    """The API refuses what is asked for. The Worker's own calls raise an exception of JavaScript for that.

    Args:
        status: The answer's HTTP status.
        text: The API's own words.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__("Error", text)
        self.status = status

    @property
    def is_not_found(self) -> bool:
        """Whether what was asked for does not exist."""
        return self.status == 404


class TargetApi:
    """The API of a target.

    Args:
        address: Where it is.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._account = address.account

    # -- what is asked -----------------------------------------------------------------------------------------------

    async def workflows(self) -> list[str]:
        """The names of the workflows that there are, as far as one page has them."""
        result, _ = await self._ask("GET", "/workflows", query={"per_page": _PER_PAGE})
        return [str(one.get("name")) for one in result] if isinstance(result, list) else []

    async def has_workflow(self, workflow: str) -> bool:
        """Whether there is a workflow of a name; not so where a server knows no way to ask for one."""
        try:
            await self._ask("GET", f"/workflows/{_quoted(workflow)}")
        except ApiRefusal as refusal:
            if not refusal.is_not_found:
                raise
            return False
        return True

    async def create(self, workflow: str, body: Mapping[str, Any]) -> str:
        """Create an instance.

        Returns:
            Its id.
        """
        result, _ = await self._ask("POST", self._path(workflow), body=body)
        return str(result["id"])

    async def instance(self, workflow: str, id: str, *, simple: bool = False) -> dict[str, Any]:
        """An instance; with its steps unless `simple`. `outputs_are_json` says how its outputs are to be read.

        Raises:
            ApiRefusal: If there is none.
        """
        query = {"simple": "true"} if simple else {}
        result, headers = await self._ask("GET", self._path(workflow, id), query=query)
        return {**result, "outputs_are_json": headers.get(OUTPUTS) == "json"}

    async def instances(self, workflow: str) -> AsyncIterator[str]:
        """The ids of a workflow's instances, the newest first."""
        seen: set[str] = set()
        for page in range(1, _MOST_PAGES + 1):
            query = {"per_page": _PER_PAGE, "page": page, "direction": "desc"}
            result, _ = await self._ask("GET", self._path(workflow), query=query)
            ids = [str(one["id"]) for one in result if str(one["id"]) not in seen]
            for id in ids:
                yield id
            seen.update(ids)
            if not ids or len(result) < _PER_PAGE:
                return

    async def step_output(self, workflow: str, id: str, name: str) -> Any:
        """The whole output of a step; bytes where it is a stream.

        Args:
            workflow: The workflow's own name.
            id: The instance.
            name: The step with its occurrence, `charge-1`.
        """
        path = f"{self._path(workflow, id)}/step"
        result, _ = await self._ask("GET", path, query={"name": name, "type": "step"})
        return result if isinstance(result, bytes) else result.get("output")

    async def change(self, workflow: str, id: str, body: Mapping[str, Any]) -> None:
        """Pause, resume, terminate or restart an instance."""
        await self._ask("PATCH", f"{self._path(workflow, id)}/status", body=body)

    async def send_event(self, workflow: str, id: str, event_type: str, payload: Any) -> None:
        """Send an event."""
        await self._ask("POST", f"{self._path(workflow, id)}/events/{_quoted(event_type)}", body=payload)

    async def delete(self, workflow: str, id: str) -> None:
        """Delete an instance and all that is stored of it."""
        await self._ask("DELETE", self._path(workflow, id))

    async def remove(self, workflow: str, id: str) -> None:
        """Delete an instance, or end it where the server deletes none; one that ends by itself meanwhile is as good."""
        try:
            await self.delete(workflow, id)
        except ApiRefusal:
            if await self._has_ended(workflow, id):
                return
            try:
                await self.change(workflow, id, {"status": "terminate"})
            except ApiRefusal:
                if not await self._has_ended(workflow, id):
                    raise

    async def _has_ended(self, workflow: str, id: str) -> bool:
        try:
            return (await self.instance(workflow, id, simple=True)).get("status") in FINAL_STATUSES
        except ApiRefusal as refusal:
            if not refusal.is_not_found:
                raise
            return True

    # -- how ---------------------------------------------------------------------------------------------------------

    @staticmethod
    def _path(workflow: str, id: str | None = None) -> str:
        path = f"/workflows/{_quoted(workflow)}/instances"
        return path if id is None else f"{path}/{_quoted(id)}"

    async def _ask(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = None
    ) -> tuple[Any, Mapping[str, str]]:
        """The result of an answer, and its headers."""
        if self._account is None:
            self._account = await self._only_account()
        url = f"{self.address.api}/accounts/{_quoted(self._account)}{path}"
        return await self._ask_url(method, url, query, body)

    async def _only_account(self) -> str:
        rows, _ = await self._ask_url("GET", f"{self.address.api}/accounts", {"per_page": 5}, None)
        ids = [str(row["id"]) for row in rows]
        if len(ids) != 1:
            raise TargetError(
                f"The token has {'several accounts' if ids else 'no account that it may list'}. "
                "Name the account: set CLOUDFLARE_ACCOUNT_ID."
            )
        return ids[0]

    async def _ask_url(
        self, method: str, url: str, query: Mapping[str, Any] | None, body: Any
    ) -> tuple[Any, Mapping[str, str]]:
        # One that fails after it was sent may have had its effect: only what reads, or was refused for its number, is
        # asked again.
        options: dict[str, Any] = {"params": query}
        if method in ("POST", "PATCH"):
            options["json"] = body
        for pause in (*(_PAUSES_HERE if self.address.is_local else _PAUSES), None):
            try:
                response = await request(self.address, method, url, headers=self.address.headers, **options)
            except httpx.HTTPError as error:
                is_unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
                if pause is None or not (is_unsent or method == "GET"):
                    raise self._unreachable(error) from None
            else:
                again = response.status_code in _PASSING and (method == "GET" or response.status_code == 429)
                if pause is None or not again:
                    return self._result(response), response.headers
                pause = _asked_pause(response) or pause
            await asyncio.sleep(pause)
        raise AssertionError("the last one has no pause")

    def _result(self, response: httpx.Response) -> Any:
        if response.headers.get("content-type", "").startswith("application/octet-stream"):
            return response.content
        try:
            found = msgspec.json.decode(response.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            found = None
        if not isinstance(found, Mapping) or "success" not in found:
            raise TargetError(
                f"{self.address.api} answers with status {response.status_code} and no JSON of the platform's API: "
                f"{shown(brief(response.text[:200]))}. Is {OPTION} the address of a server of that API?"
            )
        if found.get("success") and response.status_code < 400:
            return found.get("result")
        text = "; ".join(str(one.get("message")) for one in found.get("errors") or [] if isinstance(one, Mapping))
        if response.status_code in _REFUSED:
            raise TargetError(
                f"{self.address.api} refuses who asks: {text or response.status_code}. Set CLOUDFLARE_API_TOKEN to a "
                "token that may read and edit workflows; for `pytest-workflows dev --host`, to the one that it prints."
            )
        raise ApiRefusal(response.status_code, text or f"status {response.status_code}")

    def _unreachable(self, error: httpx.HTTPError) -> TargetError:
        why = brief(str(error)) or type(error).__name__
        return TargetError(f"{self.address.api}, which {OPTION} names, cannot be reached: {why}. Does it run?")


async def request(address: Address, method: str, url: str, **options: Any) -> httpx.Response:
    """Make one request, on a connection of its own: a test has no place where it would be closed.

    Args:
        address: The target's address.
        method: The HTTP method.
        url: What is asked.
        options: What httpx takes.
    """
    verify = _certificates() if url.startswith("https:") else False
    async with httpx.AsyncClient(trust_env=not address.is_local, timeout=30.0, verify=verify) as client:
        return await client.request(method, url, **options)


@functools.cache
def _certificates() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _asked_pause(response: httpx.Response) -> float | None:
    """The seconds that the API asks to wait, where it says so in a number."""
    try:
        return min(max(0.0, float(response.headers.get("retry-after", ""))), 60.0)
    except ValueError:
        return None


class Poll:
    """How often somebody looks while a wait goes on: often at first, and then less.

    Args:
        timeout: The wait's limit, in real seconds.
        address: Where the target is.
    """

    def __init__(self, timeout: float, address: Address) -> None:
        self._deadline = monotonic() + timeout
        self._address = address
        self._pause, self._longest = (0.03, 0.5) if address.is_local else (0.5, 5.0)

    async def look(self, find: Callable[[], Awaitable[T]]) -> T:
        """Look once: a server that holds its answers back, or asks for pauses, makes no wait much longer than it says.

        Args:
            find: Asks the server.

        Raises:
            TargetError: If it takes longer than the wait, and longer than a look may.
        """
        limit = max(LOOK, self._deadline - monotonic())
        try:
            async with asyncio.timeout(limit):
                return await find()
        except TimeoutError:
            raise TargetError(
                f"{self._address.api}, which {OPTION} names, has not answered for {limit:.0f} seconds, and the wait is "
                "over. Does code of its Worker hold it up?"
            ) from None

    async def again(self) -> bool:
        """Wait until it is time to look again.

        Returns:
            Whether there is time left.
        """
        left = self._deadline - monotonic()
        if left <= 0:
            return False
        await asyncio.sleep(min(self._pause, left))
        self._pause = min(self._pause * 1.5, self._longest)
        return True
