"""Requests to the API: repeated where that helps, as slowly as the API asks, and their failures in words."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from pytest_workflows.messages.short_repr import brief, shown

from .credentials import Credentials
from .errors import AccountError

Json = Any
"""A decoded answer."""
_NOT_FOUND = 404
_RATE_LIMITED = 429
_PASSING = frozenset({408, 409, 425, 500, 502, 503, 504, 520, 522, 524, 529})
"""Statuses that the next request may not have."""
_REFUSED = frozenset({401, 403})
_BAD_HEADERS = frozenset({6003, 6111, 9103, 9106})
"""The API's codes for a token that is none; their status is 400."""
_PAUSES = (1.0, 2.0, 4.0)
"""Seconds between requests that fail, where the API does not say."""
_RATE_PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
"""The same where there are too many requests: the API counts them over five minutes."""
_LONGEST_PAUSE = 600.0
_WORTH_SAYING = 5.0
OUTPUTS_HEADER = "workflows-outputs"
"""The header with which a control plane of ours says how outputs stand in its answers: `json`."""


class StatusError(Exception):
    """The API answered with an error that says something about what was asked for.

    Args:
        status: The answer's HTTP status.
        text: The API's own words.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        # The API has both: a status, and errors such as `workflows.api.error.not_found`.
        self.is_not_found = status == _NOT_FOUND or "not_found" in text


class Requests:
    """The requests of one command.

    Args:
        credentials: Who asks, and where.
        say: Shows a line to the user.
        sleep: Waits so many seconds.

    Attributes:
        api: The address of the API.
        client: The platform's client.

    Raises:
        AccountError: If the extra `pull` is not installed.
    """

    def __init__(
        self, credentials: Credentials, *, say: Callable[[str], None], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        try:
            import cloudflare
        except ModuleNotFoundError:
            raise AccountError(
                "the platform's client is not installed.", "pip install 'pytest-workflows[pull]'"
            ) from None
        self._status_error: type[Exception] = cloudflare.APIStatusError
        self._connection_error: type[Exception] = cloudflare.APIConnectionError
        self.api = credentials.api
        self._sleep = sleep
        self._say = say
        self.client = cloudflare.Cloudflare(
            api_token="", base_url=credentials.api, max_retries=0, default_headers=dict(credentials.headers)
        )
        # The client (5.9.0) takes what else it finds in the environment, and sends an email in place of the token.
        self.client.api_token = self.client.api_key = self.client.api_email = self.client.user_service_key = None

    def ask(self, call: Callable[[], Any]) -> tuple[bytes, Mapping[str, str]]:
        """The body of an answer, and its headers.

        Args:
            call: Makes the request.

        Raises:
            StatusError: If the API refuses what is asked for.
            AccountError: If it cannot be reached, refuses who asks, or fails again and again.
        """
        failures = 0
        while True:
            try:
                response = call().http_response
                return response.content, response.headers
            except self._status_error as refused:
                error: Any = refused
                pauses = _RATE_PAUSES if error.status_code == _RATE_LIMITED else _PAUSES
                if error.status_code not in {_RATE_LIMITED, *_PASSING} or failures >= len(pauses):
                    raise self._error(error) from None
                self._pause(error, pauses[failures])
            except self._connection_error as error:
                if failures >= len(_PAUSES):
                    raise self._unreachable(error) from None
                self._sleep(_PAUSES[failures])
            except ValueError as error:  # the client, of a name that no address can have: `..`
                raise StatusError(_NOT_FOUND, brief(str(error))) from None
            failures += 1

    def ask_json(self, call: Callable[[], Any], what: str) -> Mapping[str, Json]:
        """The envelope of an answer.

        Args:
            call: Makes the request.
            what: Names what is asked for.

        Raises:
            StatusError: As for `ask`.
            AccountError: As for `ask`, or if the answer is none of the API's.
        """
        body, headers = self.ask(call)
        found = self.decode(body, what)
        if not isinstance(found, Mapping) or "result" not in found:
            raise self._strange(what, f"JSON without a result: {shown(found)}")
        if found.get("success") is False:
            raise StatusError(200, _texts(found) or "it does not say why")
        said = headers.get(OUTPUTS_HEADER)
        return found if said is None else {**found, "outputs": said}

    def decode(self, body: bytes, what: str) -> Json:
        """The JSON of an answer.

        Raises:
            AccountError: If it is none.
        """
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._strange(what, f"no JSON ({brief(str(error))})") from None

    def _strange(self, what: str, answer: str) -> AccountError:
        return AccountError(
            f"asked for {what}, the API at {self.api} answered with {answer}.",
            "Is that the platform's API? CLOUDFLARE_API_BASE_URL names another one.",
        )

    def _pause(self, error: Any, seconds: float) -> None:
        asked = _retry_after(error.response.headers)
        if asked is not None and asked > _LONGEST_PAUSE:
            raise AccountError(
                f"the API takes no request for another {asked:.0f} seconds: there were too many.",
                "Try again then, or pull fewer instances: --limit N.",
            )
        seconds = seconds if asked is None else asked
        if seconds >= _WORTH_SAYING:
            self._say(f"The API asks to wait {seconds:.0f} seconds.")
        self._sleep(seconds)

    def _error(self, error: Any) -> Exception:
        status, text = error.status_code, _texts(error.body)
        if status in _REFUSED or (status == 400 and _BAD_HEADERS & _codes(error.body)):
            return AccountError(
                f"the API refuses the token of the environment: {text or status}.",
                "Is CLOUDFLARE_API_TOKEN whole and valid, may it read Workers Scripts, and is it of the account that "
                "CLOUDFLARE_ACCOUNT_ID or account_id names?",
            )
        if status == _RATE_LIMITED:
            return AccountError(
                f"the API answers that there are too many requests: {text or status}.",
                "Try again in five minutes, or pull fewer instances: --limit N.",
            )
        if status in _PASSING or status > 500:
            return AccountError(f"the API fails with status {status}: {text or 'no message'}.", "Try again later.")
        return StatusError(status, text or f"status {status}")

    def _unreachable(self, error: Exception) -> AccountError:
        reason = brief(str(error.__cause__ or error)) or type(error.__cause__ or error).__name__
        return AccountError(
            f"the API at {self.api} cannot be reached: {reason}.",
            "Is there a network, and does a proxy let it through?",
        )


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that the API asks to wait; None where it does not say, or not in words that are known."""
    given = headers.get("retry-after", "")
    try:
        seconds = float(given)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(given).timestamp() - time.time()
        except (TypeError, ValueError):
            return None
    return seconds if 0 <= seconds < float("inf") else None


def _errors(body: object) -> list[Mapping[str, Any]]:
    errors = body.get("errors") if isinstance(body, Mapping) else None
    return [one for one in errors if isinstance(one, Mapping)] if isinstance(errors, list) else []


def _codes(body: object) -> set[object]:
    codes = {one.get("code") for one in _errors(body) if isinstance(one.get("code"), int)}
    return codes | {code for one in _errors(body) for code in _codes({"errors": one.get("error_chain")})}


def _texts(body: object) -> str:
    """The API's errors in words."""
    texts = [f"{one.get('message')} (code {one.get('code')})" for one in _errors(body)]
    return brief("; ".join(texts))
