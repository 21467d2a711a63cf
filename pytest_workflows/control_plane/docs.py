"""The OpenAPI document of the control plane's own paths, and a page that shows it: from this process alone."""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse

from .answers import Failure

DOCUMENT: Final = "/__workflows/openapi.json"
PAGE: Final = "/__workflows/docs"
_DESCRIPTION: Final = (
    "The platform's API of workflows, the one that wrangler asks of a local session, cron triggers by hand, and what "
    "the page asks, on this machine. Everything else at this address is the Worker's."
)
_METHODS: Final = ("get", "post", "put", "patch", "delete")
_STYLE: Final = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
summary { cursor: pointer; padding: .3rem 0; } summary:focus-visible { outline: 2px solid; }
code, pre { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { overflow-x: auto; padding: .6rem; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
.method { display: inline-block; min-width: 4.2rem; font-weight: 600; }
table { border-collapse: collapse; } td, th { text-align: left; vertical-align: top; padding: .15rem 1rem .15rem 0; }
"""


def add_docs(app: FastAPI) -> None:
    """Add the document and its page to an application, whose routes are all there.

    Args:
        app: The application.
    """
    document = app.state.document = functools.cache(functools.partial(_document, app))

    async def give_document() -> JSONResponse:
        return JSONResponse(document())

    async def give_page() -> HTMLResponse:
        return HTMLResponse("".join(_page(document())))

    app.add_api_route(DOCUMENT, give_document, include_in_schema=False)
    app.add_api_route(PAGE, give_page, include_in_schema=False)


def methods_at(app: FastAPI, path: str) -> set[str]:
    """The methods that a path takes, by the document: of several paths of it that fit, the one with fewest parameters.

    Args:
        app: The application.
        path: The path.
    """
    fitting: list[tuple[int, set[str]]] = []
    for template, operations in app.state.document()["paths"].items():
        parts = [re.escape(part) for part in re.split(r"\{\w+\}", template)]
        if re.fullmatch("[^/]+".join(parts), path):
            fitting.append((len(parts), {method.upper() for method in operations if method in _METHODS}))
    return min(fitting, key=lambda one: one[0])[1] if fitting else set()


def _document(app: FastAPI) -> dict[str, Any]:
    """The document. Requests that are not as they must be get the platform's 400, and never FastAPI's 422."""
    found = get_openapi(
        title="pytest-workflows control plane",
        version=version("pytest-workflows"),
        openapi_version="3.1.0",
        description=_DESCRIPTION,
        routes=app.routes,
    )
    for operations in found["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
    schemas = found["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    failure = Failure.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    schemas |= {**failure.pop("$defs"), "Failure": failure}
    return found


# -- the page ----------------------------------------------------------------------------------------------------------


def _page(document: Mapping[str, Any]) -> Iterator[str]:
    title = html.escape(document["info"]["title"])
    yield f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
    yield f'<meta name=viewport content="width=device-width"><style>{_STYLE}</style><h1>{title}</h1>'
    yield f"<p>{html.escape(document['info']['description'])}</p>"
    yield f'<p><a href="{DOCUMENT}">OpenAPI {document["openapi"]}</a> · <a href="/__workflows">The page</a></p>'
    group = None
    for path, method, operation in _operations(document):
        tag = (operation.get("tags") or ["others"])[0]
        if tag != group:
            group = tag
            yield f"<h2>{html.escape(tag.capitalize())}</h2>"
        yield from _operation(document, path, method, operation)


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                yield path, method, operations[method]


def _operation(document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"<details><summary><code><span class=method>{method.upper()}</span>{html.escape(path)}</code>"
    yield f" {html.escape(operation.get('summary', ''))}</summary>"
    yield f"<p>{html.escape(operation.get('description', ''))}</p>"
    parameters = operation.get("parameters", [])
    if parameters:
        yield "<table><tr><th>parameter<th>in<th>type<th>"
        for one in parameters:
            cells = (one["name"], one["in"], _type(one["schema"]), one.get("description", ""))
            yield "<tr>" + "".join(f"<td>{html.escape(cell)}" for cell in cells)
        yield "</table>"
    for name, content in (("Body", operation.get("requestBody")), ("Answer", operation["responses"].get("200"))):
        for media, held in ((content or {}).get("content") or {}).items():
            yield f"<p>{name}, <code>{html.escape(media)}</code>:</p>"
            yield f"<pre>{html.escape(_outline(document, held.get('schema', {})))}</pre>"
    yield "</details>"


def _type(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if "anyOf" in schema:
        return " | ".join(_type(one) for one in schema["anyOf"])
    return str(schema.get("format") or schema.get("type") or "any")


def _outline(document: Mapping[str, Any], schema: Mapping[str, Any], depth: int = 0) -> str:
    """A schema as an outline: names, and their types."""
    if "$ref" in schema:
        return _outline(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], depth)
    kinds = schema.get("anyOf") or schema.get("oneOf")
    if kinds:
        return " | ".join(_outline(document, one, depth) for one in kinds)
    if schema.get("type") == "array":
        return f"[{_outline(document, schema.get('items', {}), depth)}, ...]"
    if "properties" in schema and depth < 6:
        indent = "  " * (depth + 1)
        lines = [f"{indent}{name}: {_outline(document, one, depth + 1)}" for name, one in schema["properties"].items()]
        return "{\n" + "\n".join(lines) + "\n" + "  " * depth + "}"
    return _type(schema)
