"""Which file of the assets a path of a URL stands for: `html_handling` and `not_found_handling` of the configuration.

Source: the rules that Cloudflare documents for static assets; observed with the local runtime where the SDK's own tests
show it (files, a missing one, content types).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

HTML_HANDLING = ("auto-trailing-slash", "force-trailing-slash", "drop-trailing-slash", "none")
NOT_FOUND_HANDLING = ("none", "404-page", "single-page-application")


class Target(NamedTuple):
    """What a path stands for.

    Attributes:
        file: The file's path in the folder, with a leading slash; None for a redirect.
        redirect: The path to go to.
        status: The status that the file is served with.
    """

    file: str | None = None
    redirect: str | None = None
    status: int = 200


class AssetPaths:
    """The rules for one folder of assets.

    Args:
        exists: Whether there is a file, by its path in the folder with a leading slash.
        html_handling: One of `HTML_HANDLING`.
        not_found_handling: One of `NOT_FOUND_HANDLING`.
    """

    def __init__(self, exists: Callable[[str], bool], html_handling: str, not_found_handling: str) -> None:
        self._exists, self._html, self._not_found = exists, html_handling, not_found_handling

    def target(self, path: str) -> Target | None:
        """What a decoded path stands for; None for nothing."""
        found = self._page(path, may_redirect=True)
        return self._otherwise(path) if found is None else found

    def _page(self, path: str, *, may_redirect: bool) -> Target | None:
        if self._html == "none":
            return self._file(path)
        if self._exists(path) and not path.endswith(".html"):
            return Target(path)
        found = self._named_html(path, may_redirect) if self._is_page_name(path) else None
        if found is None:
            found = self._file(path) if self._exists(path) else self._implied(path, may_redirect)
        return found

    @staticmethod
    def _is_page_name(path: str) -> bool:
        return path.endswith(("/", "/index", ".html"))

    def _named_html(self, path: str, may_redirect: bool) -> Target | None:
        """A path that names its page in another form than the one that it is served under, or a folder's page."""
        if path.endswith("/"):
            return self._folder(path, may_redirect)
        stem = path.removesuffix(".html")
        if stem.endswith("/index"):
            folder = stem.removesuffix("index")
            files = (f"{stem}.html", f"{folder.removesuffix('/')}.html")
        else:
            files = (f"{stem}.html", f"{stem}/index.html")
        return self._first_redirect(files, may_redirect)

    def _folder(self, path: str, may_redirect: bool) -> Target | None:
        name = path.removesuffix("/")
        index, page = f"{path}index.html", f"{name}.html"
        if self._html == "drop-trailing-slash" and path != "/":
            return self._first_redirect((page, index), may_redirect)
        if self._exists(index):
            return Target(index)
        if self._html == "force-trailing-slash" and name:
            return self._file(page)
        return self._first_redirect((page,), may_redirect)

    def _implied(self, path: str, may_redirect: bool) -> Target | None:
        """A path without an ending, whose page or folder there is."""
        page, index = f"{path}.html", f"{path}/index.html"
        served = {
            "auto-trailing-slash": (page,),
            "force-trailing-slash": (),
            "drop-trailing-slash": (page, index),
        }[self._html]
        for file in served:
            if self._exists(file):
                return Target(file)
        return self._first_redirect((page, index), may_redirect)

    def _first_redirect(self, files: tuple[str, ...], may_redirect: bool) -> Target | None:
        for file in files if may_redirect else ():
            if self._exists(file):
                place = self._place(file)
                # Only where the file is what is served there: another one may be in the way.
                if not self._exists(place) and self._page(place, may_redirect=False) == Target(file):
                    return Target(redirect=place)
        return None

    def _place(self, file: str) -> str:
        """The path that a page is served under."""
        if file.endswith("/index.html"):
            folder = file.removesuffix("index.html")
            drops = self._html == "drop-trailing-slash" and folder != "/"
            return folder.removesuffix("/") if drops else folder
        return file.removesuffix(".html") + ("/" if self._html == "force-trailing-slash" else "")

    def _file(self, path: str) -> Target | None:
        return Target(path) if self._exists(path) else None

    def _otherwise(self, path: str) -> Target | None:
        if self._not_found == "single-page-application":
            return self._file("/index.html")
        if self._not_found == "404-page":
            while path:
                path = path[: path.rfind("/")]
                if self._exists(f"{path}/404.html"):
                    return Target(f"{path}/404.html", status=404)
        return None
