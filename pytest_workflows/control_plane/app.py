"""The control plane as an ASGI application: its own paths, and the Worker behind all others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote, unquote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from durable_engine import InvalidArgumentError, JsException

from .asking import Asker
from .cron_by_hand import cron_router
from .directory import Directory
from .docs import add_docs, methods_at
from .errors import BAD_REQUEST, FORBIDDEN, INTERNAL, NOT_FOUND, UNAUTHENTICATED, ApiError, of_engine
from .explorer import Explorer
from .instance_calls import InstanceCalls
from .instance_shapes import InstanceShapes
from .page import page_router
from .platform_instances import PlatformInstances
from .platform_workflows import PlatformWorkflows
from .security import Asked, Security, is_own, refusal_of, token_redirect
from .served import Served
from .worker_requests import WorkerGateway

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


def make_app(served: Served, security: Security | None = None) -> AsgiApp:
    """The control plane round what is served.

    Args:
        served: What is served.
        security: What it asks of those who call it.
    """
    return _ControlPlane(served, security or Security())


class _ControlPlane:
    def __init__(self, served: Served, security: Security) -> None:
        self._security = security
        self._own = own_app(served)
        self._worker = WorkerGateway(served, security.worker_host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        path = _segments(raw_path(scope))  # that of the check is exactly the one that is routed
        if not is_own(path):
            await self._worker(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer({**scope, "path": path}, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000, "reason": "There is no WebSocket here."})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = Asked(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), _headers(scope))
        redirect = token_redirect(asked, self._security)
        refusal = None if redirect is not None else refusal_of(asked, self._security)
        if redirect is not None:
            address, cookie = redirect
            headers = [(b"location", address.encode()), (b"set-cookie", cookie.encode()), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 303, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
        elif refusal is not None:
            code = UNAUTHENTICATED if refusal.status == 401 else FORBIDDEN
            answer = answer_of(ApiError(refusal.status, code, refusal.sentence))
            await answer(scope, receive, send)
        else:
            await self._own(scope, receive, send)


def own_app(served: Served) -> FastAPI:
    """The control plane's own paths.

    Args:
        served: What is served.
    """
    asker, directory = Asker(served), Directory(served)
    calls, shapes = InstanceCalls(served, directory), InstanceShapes(served.engine.store, directory)
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    platform = PlatformInstances(asker, directory, calls, shapes)
    app.include_router(PlatformWorkflows(asker, directory, calls).router())
    app.include_router(platform.router())
    app.include_router(Explorer(asker, directory, calls, platform).router())
    app.include_router(cron_router(asker))
    app.include_router(page_router(served))
    add_docs(app)
    app.add_exception_handler(ApiError, _answer_error)
    app.add_exception_handler(JsException, _answer_error)
    app.add_exception_handler(InvalidArgumentError, _answer_error)
    app.add_exception_handler(HTTPException, _answer_error)
    app.add_exception_handler(RequestValidationError, _answer_error)
    app.add_exception_handler(Exception, _answer_error)
    return app


def answer_of(error: ApiError, headers: dict[str, str] | None = None) -> JSONResponse:
    """An error in the platform's envelope."""
    said = {"code": error.code, "message": error.message}
    body = {"success": False, "errors": [said], "messages": [], "result": None}
    if error.status == 409 or error.may_be_done:
        headers = {**(headers or {}), "x-should-retry": "false"}  # the platform's client would ask twice more
    return JSONResponse(body, error.status, headers)


async def _answer_error(request: Request, error: Exception) -> JSONResponse:
    given = error.headers if isinstance(error, HTTPException) else None
    headers = {name.lower(): value for name, value in (given or {}).items()}
    if isinstance(error, HTTPException) and error.status_code == 405:
        methods = methods_at(request.app, request.scope["path"])  # Starlette has those of one route
        headers |= {"allow": ", ".join(sorted(methods))} if methods else {}
    return answer_of(_as_api_error(request, error), headers)


def _as_api_error(request: Request, error: Exception) -> ApiError:
    path = unquote(request.url.path)
    match error:
        case ApiError():
            return error
        case JsException():
            return of_engine(error)
        case InvalidArgumentError():
            return ApiError(400, BAD_REQUEST, str(error))
        case RequestValidationError():
            return ApiError(400, BAD_REQUEST, _no_json(request, error) or _mistakes(error))
        case HTTPException(status_code=404):
            return ApiError(404, NOT_FOUND, f"The control plane has nothing at {path}. See /__workflows/docs.")
        case HTTPException(status_code=405):
            return ApiError(405, NOT_FOUND, f"{path} takes no {request.method}. See /__workflows/docs.")
        case HTTPException():
            return ApiError(error.status_code, BAD_REQUEST, str(error.detail))
    return ApiError(500, INTERNAL, f"{type(error).__name__}: {error}")


def _mistakes(error: RequestValidationError) -> str:
    """What is wrong with a request, in a sentence."""
    lines = []
    for one in error.errors():
        where, *path = one["loc"]
        what = {"body": "the body", "query": "the query", "path": "the path"}.get(str(where), str(where))
        name = ".".join(str(part) for part in path)
        if one["type"] == "json_invalid":
            return f"The body is no JSON: {one.get('ctx', {}).get('error', one['msg'])}."
        lines.append(f"{name} in {what}: {one['msg']}" if name else f"{what}: {one['msg']}")
    text = "; ".join(lines)
    return f"{text[0].upper()}{text[1:]}." if lines and not path else f"{text}."


def _no_json(request: Request, error: RequestValidationError) -> str | None:
    """What is wrong with a request whose body does not even say that it is JSON; None where it does, or has none."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media == "application/json" or media.endswith("+json"):
        return None
    if not media and not isinstance(error.body, bytes):
        return None
    by = f"is no JSON by its content type, {media}" if media else "does not say that it is JSON"
    return f"The body {by}: send it with `Content-Type: application/json`, as `curl --json` does."


def raw_path(scope: Scope) -> str:
    """The path as it came: a slash within a name is still encoded."""
    raw = scope.get("raw_path")
    return raw.decode("latin-1").partition("?")[0] if raw else quote(scope["path"])


def _segments(path: str) -> str:
    """A path of which each name is encoded in one way, so that an encoded slash does not part it."""
    return "/".join(quote(unquote(part), safe="") for part in path.split("/"))


def _headers(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return found


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


__all__ = ["make_app", "own_app"]
