"""The client of a process that runs: what commands ask of it goes through its own API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from .errors import DevError
from .settings import STATE, TOKEN
from .state_folder import Running, StateFolder

_API = "/__workflows/api"
_TIMEOUT = 60.0
_CODE = re.compile(r"^workflows\.api\.error\.[\w.]+: ")
"""What the platform's texts begin with."""
_START = "Start it: `pytest-workflows dev`; one that runs elsewhere is named by `--url http://127.0.0.1:8787`."


class Client:
    """Asks a process.

    Args:
        running: The process.
    """

    def __init__(self, running: Running) -> None:
        self._running = running

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """Ask for something.

        Args:
            path: Below the page's API.
            params: The query.

        Raises:
            DevError: If it does not answer, or refuses.
        """
        return self._ask("GET", path, params=params)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Have something done.

        Args:
            path: Below the page's API.
            body: What is sent as JSON.

        Raises:
            DevError: If it does not answer, or refuses.
        """
        return self._ask("POST", path, json=body)

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        url = f"{self._running.url.rstrip('/')}{_API}{path}"
        token = self._running.token
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        try:
            # Not through a proxy: it is this machine.
            with httpx.Client(trust_env=False, timeout=_TIMEOUT) as client:
                response = client.request(method, url, headers=headers, **options)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise DevError(f"{self._running.url!r} is no address of a server.", _START) from None
        except httpx.RequestError as error:
            raise DevError(f"nothing answers at {self._running.url}: {error}.", _START) from None
        return _result(response, self._running.url)


def _result(response: httpx.Response, url: str) -> Any:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or "success" not in answer:
        raise DevError(f"what answers at {url} is no `pytest-workflows dev`: status {response.status_code}.", _START)
    if not answer["success"]:
        errors = [error for error in answer.get("errors") or () if isinstance(error, dict)]
        texts = [_CODE.sub("", str(error.get("message"))) for error in errors]
        said = "; ".join(texts) or "it does not say why"
        hint = "Give its token: `--token TEXT`." if response.status_code in (401, 403) else ""
        raise DevError(said, hint)
    return answer.get("result")


def find_running(url: str | None, token: str | None, state: Path | None) -> Client:
    """The process that commands mean.

    Args:
        url: Its address; None for that of the nearest folder that has a state.
        token: Its token, where it asks for one.
        state: Its state's folder.

    Raises:
        DevError: If none is known to run.
    """
    if token is not None and not TOKEN.fullmatch(token):
        raise DevError("the --token has what no token has.", "Give the one that `pytest-workflows dev` printed.")
    if url is not None:
        return Client(Running(url, 0, token))
    folders = [state] if state is not None else [one / STATE for one in (Path.cwd(), *Path.cwd().parents)]
    for folder in folders:
        running = StateFolder(folder).running()
        if running is not None:
            return Client(running if token is None else Running(running.url, running.pid, token))
    where = f"in {state}" if state is not None else f"from {Path.cwd()} upwards"
    raise DevError(f"no `pytest-workflows dev` is known to run {where}.", _START)
