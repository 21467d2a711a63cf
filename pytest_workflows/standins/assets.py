"""Static assets: the files of the configured folder."""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.javascript.objects import JsObject, promised

from .asset_paths import HTML_HANDLING, NOT_FOUND_HANDLING, AssetPaths
from .responses import response

if TYPE_CHECKING:
    from pytest_workflows.project.binding_config import BindingConfig

    from .host import Host

_NOT_SERVED = frozenset({"/_headers", "/_redirects", "/.assetsignore"})
_TYPES = mimetypes.MimeTypes(filenames=())
for _type, _ending in (
    ("text/javascript", ".js"),
    ("text/javascript", ".mjs"),
    ("font/woff", ".woff"),
    ("font/woff2", ".woff2"),
    ("image/avif", ".avif"),
    ("image/webp", ".webp"),
    ("image/x-icon", ".ico"),
    ("application/wasm", ".wasm"),
    ("text/markdown", ".md"),
    ("application/json", ".map"),
    ("application/manifest+json", ".webmanifest"),
):
    _TYPES.add_type(_type, _ending)


def make(config: BindingConfig, host: Host) -> Fetcher:
    """Make the stand-in of the assets.

    Raises:
        WorkflowConfigError: If there is no such folder, or a setting has a value that it cannot have.
    """
    settings = config.settings
    where = f"{config.path}:{config.line}"
    directory = settings.get("directory")
    if not isinstance(directory, str):
        raise WorkflowConfigError(f'{where}: assets has no text as "directory", the folder of the files.')
    folder = config.path.parent / directory
    if not folder.is_dir():
        raise WorkflowConfigError(f"{where}: assets.directory is {directory!r}, and {folder} is no folder.")
    html = _choice(settings, "html_handling", HTML_HANDLING, where)
    return Fetcher(folder, html, _choice(settings, "not_found_handling", NOT_FOUND_HANDLING, where))


def _choice(settings: Any, name: str, allowed: tuple[str, ...], where: str) -> str:
    value = settings.get(name, allowed[0])
    if value not in allowed:
        raise WorkflowConfigError(f"{where}: assets.{name} is {value!r}. There are: {', '.join(allowed)}.")
    return str(value)


class Fetcher(JsObject):
    """The assets, as a service that answers requests.

    Args:
        folder: The folder.
        html_handling: How pages are named.
        not_found_handling: What is served where there is no file.
    """

    def __init__(self, folder: Path, html_handling: str, not_found_handling: str) -> None:
        self._folder = folder
        self._paths = AssetPaths(self._exists, html_handling, not_found_handling)

    def _exists(self, path: str) -> bool:
        parts = path.split("/")
        if path in _NOT_SERVED or ".." in parts or "\0" in path or not parts[-1]:
            return False
        return self._file(path).is_file()

    def _file(self, path: str) -> Path:
        return self._folder / path.lstrip("/")

    @promised
    def fetch(self, resource: Any = None, init: Any = None) -> Any:
        """Answer a request with a file; redirects are followed unless the request says "manual".

        Args:
            resource: The request, or its URL.
            init: As for the global `fetch`.
        """
        from pytest_workflows.javascript.redirects import follow
        from pytest_workflows.javascript.request import Request

        return follow(self._respond, Request(resource, init))

    async def _respond(self, request: Any) -> Any:
        url = urlsplit(request.url)
        path = "/".join(unquote(part) for part in url.path.split("/")) or "/"
        target = self._paths.target(path)
        if target is None:
            return response(None, 404, {})
        if request.method not in ("GET", "HEAD"):
            return response(None, 405, {})
        destination = "/".join(quote(part, safe="!*'()") for part in (target.redirect or path).split("/"))
        if target.redirect is not None or destination != url.path:
            query = f"?{url.query}" if url.query else ""
            return response(None, 307, {"location": destination + query})
        assert target.file is not None
        return self._answer(self._file(target.file), target.status, request)

    def _answer(self, file: Path, status: int, request: Any) -> Any:
        data = file.read_bytes()
        etag = f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
        headers = {"etag": etag, "cache-control": "public, max-age=0, must-revalidate"}
        kind = content_type(file.name)
        if kind is not None:
            headers["content-type"] = kind
        if request.headers.get("if-none-match") in (etag, f"W/{etag}"):
            return response(None, 304, headers)
        return response(None if request.method == "HEAD" else data, status, headers)


def content_type(name: str) -> str | None:
    """The content type of a file, by its ending; None where nobody knows."""
    kind = _TYPES.guess_type(name.rpartition("/")[2])[0]
    return f"{kind}; charset=utf-8" if kind is not None and kind.startswith("text/") else kind
