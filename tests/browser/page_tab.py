"""Windows in a browser."""

from __future__ import annotations

from typing import Any


class Tab:
    """A window with what went wrong in it.

    Args:
        browser: The browser.
        address: The server's address.
        options: Playwright's, of a context.
    """

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        settings = {"viewport": {"width": 1280, "height": 720}, "color_scheme": "light", **options}
        self._context = browser.new_context(**settings)
        self._address = address
        self.page = self._context.new_page()
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.set_default_timeout(10_000)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._note)

    def _note(self, message: Any) -> None:
        # That a request was refused is said on the page: the browser's own line for it is no mistake.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.errors.append(message.text)

    def open(self, view: str = "") -> None:
        """Open a view, and wait until it is live."""
        self.page.goto(f"{self._address}/__workflows{view}")
        self.page.wait_for_selector("#link.complete")

    def press(self, name: str) -> None:
        """Press a button by its text."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def waits_for(self, text: str, within: str = "body") -> None:
        """Wait until a text is there."""
        self.page.locator(within).get_by_text(text).first.wait_for()

    def is_without(self, selector: str) -> None:
        """Wait until nothing fits a selector."""
        self.page.wait_for_selector(selector, state="detached")

    def has_status(self, status: str) -> None:
        """Wait until the open instance has a status."""
        self.page.locator(f"#detail .title .badge.{status}").wait_for()

    def close(self) -> None:
        self._context.close()
