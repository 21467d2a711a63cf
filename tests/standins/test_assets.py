"""Static assets: which file a path stands for, and what it is answered with."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from facts import fact
from plain_host import PlainHost

from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.standins.asset_paths import AssetPaths, Target

FILES = (
    "/file.html",
    "/folder/index.html",
    "/index.html",
    "/bin",
    "/404.html",
    "/deep/404.html",
    "/both.html",
    "/both/index.html",
)


def paths(html_handling: str = "auto-trailing-slash", not_found_handling: str = "none") -> AssetPaths:
    return AssetPaths(FILES.__contains__, html_handling, not_found_handling)


def shown(target: Target | None) -> str | None:
    if target is None:
        return None
    return f"-> {target.redirect}" if target.file is None else target.file


@pytest.mark.parametrize(
    ("path", "auto", "force", "drop", "none"),
    [
        ("/", "/index.html", "/index.html", "/index.html", None),
        ("/index", "-> /", "-> /", "-> /", None),
        ("/index.html", "-> /", "-> /", "-> /", "/index.html"),
        ("/file", "/file.html", "-> /file/", "/file.html", None),
        ("/file.html", "-> /file", "-> /file/", "-> /file", "/file.html"),
        ("/file/", "-> /file", "/file.html", "-> /file", None),
        ("/file/index", "-> /file", "-> /file/", "-> /file", None),
        ("/file/index.html", "-> /file", "-> /file/", "-> /file", None),
        ("/folder", "-> /folder/", "-> /folder/", "/folder/index.html", None),
        ("/folder.html", "-> /folder/", "-> /folder/", "-> /folder", None),
        ("/folder/", "/folder/index.html", "/folder/index.html", "-> /folder", None),
        ("/folder/index", "-> /folder/", "-> /folder/", "-> /folder", None),
        ("/folder/index.html", "-> /folder/", "-> /folder/", "-> /folder", "/folder/index.html"),
        ("/bin", "/bin", "/bin", "/bin", "/bin"),
        ("/bin/", None, None, None, None),
        ("/missing", None, None, None, None),
    ],
)
@fact("other-bindings", "Each page of the assets is served under one path, by html_handling")
def test_each_path_is_served_under_one_name(
    path: str, auto: str | None, force: str | None, drop: str | None, none: str | None
) -> None:
    handlings = ("auto-trailing-slash", "force-trailing-slash", "drop-trailing-slash", "none")

    assert [shown(paths(handling).target(path)) for handling in handlings] == [auto, force, drop, none]


def test_where_there_is_no_file_the_nearest_404_page_or_the_application_is_served() -> None:
    page, application = paths(not_found_handling="404-page"), paths(not_found_handling="single-page-application")

    assert page.target("/deep/er/x") == Target("/deep/404.html", status=404)
    assert page.target("/x") == Target("/404.html", status=404)
    assert application.target("/deep/er/x") == Target("/index.html")


@pytest.fixture
def assets(host: PlainHost, tmp_path: Path) -> Any:
    for name, text in {
        "hello.txt": "hello",
        "data.json": "{}",
        "app.js": "1",
        "page.html": "<p>",
        "ä b.txt": "umlaut",
        "_headers": "/*\n  X-A: 1",
        "unknown": "?",
    }.items():
        (tmp_path / "public" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "public" / name).write_text(text)
    (tmp_path / "secret.txt").write_text("no")
    return host.binding("assets", "ASSETS", tmp_path / "wrangler.jsonc", directory="./public/")._binding


def fetch(assets: Any, path: str, options: Any = None) -> Any:
    async def run() -> tuple[int, str, dict[str, str | None]]:
        from pytest_workflows.javascript.rpc import python_to_rpc

        response = await assets.fetch(
            f"https://assets.local{path}", python_to_rpc({"redirect": "manual", **(options or {})})
        )
        names = ("content-type", "etag", "cache-control", "location")
        headers = {name: response.headers.get(name) for name in names if response.headers.has(name)}
        return response.status, await response.text(), headers

    return asyncio.run(run())


def test_a_redirect_is_followed_unless_the_request_wants_to_see_it(assets: Any) -> None:
    followed = fetch(assets, "/page.html", {"redirect": "follow"})

    assert fetch(assets, "/page.html")[0] == 307
    assert followed[:2] == fetch(assets, "/page")[:2]
    assert followed[0] == 200


def test_a_file_is_served_with_its_type_and_an_etag(assets: Any) -> None:
    status, text, headers = fetch(assets, "/hello.txt?x=1")

    assert (status, text) == (200, "hello")
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert headers["cache-control"] == "public, max-age=0, must-revalidate"
    assert fetch(assets, "/hello.txt", {"headers": {"if-none-match": headers["etag"]}})[:2] == (304, "")
    assert fetch(assets, "/hello.txt", {"headers": {"if-none-match": f"W/{headers['etag']}"}})[:2] == (304, "")
    assert fetch(assets, "/hello.txt", {"headers": {"if-none-match": '"other"'}})[:2] == (200, "hello")
    assert fetch(assets, "/hello.txt", {"method": "HEAD"})[:2] == (200, "")


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/data.json", "application/json"),
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/page", "text/html; charset=utf-8"),
        ("/unknown", None),
    ],
)
def test_the_ending_says_the_content_type(assets: Any, path: str, content_type: str | None) -> None:
    status, _, headers = fetch(assets, path)

    assert (status, headers.get("content-type")) == (200, content_type)


@pytest.mark.parametrize("path", ["/missing", "/_headers", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/"])
@fact(
    "other-bindings",
    "_headers and _redirects of the assets have an effect",
    why="they are not read, nor is .assetsignore; they are not served either",
)
def test_what_is_no_asset_is_not_found(assets: Any, path: str) -> None:
    assert fetch(assets, path)[:2] == (404, "")


def test_another_method_is_not_allowed(assets: Any) -> None:
    assert fetch(assets, "/hello.txt", {"method": "POST"})[0] == 405


def test_a_path_that_is_written_in_another_way_is_redirected(assets: Any) -> None:
    assert fetch(assets, "/%68ello.txt")[0] == 307
    status, _, headers = fetch(assets, "/page.html?x=1")
    assert (status, headers["location"]) == (307, "/page?x=1")
    assert fetch(assets, "/%C3%A4%20b.txt")[:2] == (200, "umlaut")


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({}, '1: assets has no text as "directory"'),
        ({"directory": "nope"}, "1: assets.directory is 'nope', and "),
        ({"directory": ".", "html_handling": "x"}, "1: assets.html_handling is 'x'. There are: auto-trailing-slash, "),
        ({"directory": ".", "not_found_handling": "x"}, "1: assets.not_found_handling is 'x'. There are: none, "),
    ],
)
def test_an_entry_that_cannot_be_is_a_configuration_error(
    host: PlainHost, tmp_path: Path, settings: Any, text: str
) -> None:
    with pytest.raises(WorkflowConfigError) as caught:
        host.binding("assets", "ASSETS", tmp_path / "wrangler.jsonc", **settings)

    assert text in str(caught.value)
