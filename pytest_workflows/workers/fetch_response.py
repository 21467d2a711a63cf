"""`workers.FetchResponse`: the reading half of a response, over a `js.Response`.

Source: workers-runtime-sdk 1.9.5, `workers.response`.
"""

from __future__ import annotations

from typing import Any

from .blob import Blob
from .body import read_form
from .formdata import FormData
from .headers import HTTPMessageMapping, to_message
from .js_view import null_to_none
from .pyodide_http import FetchResponse as PyodideResponse

__all__ = ["FetchResponse"]


class FetchResponse(PyodideResponse):
    """A response to be read. What sources meet is its subclass `Response`; this one is for `isinstance` and hints."""

    @property
    def body(self) -> Any:
        """The body as a ReadableStream of JavaScript; None where there is none."""
        return null_to_none(self.js_response.body)

    @property
    def js_object(self) -> Any:
        """The `js.Response`."""
        return self.js_response

    @property
    def headers(self) -> HTTPMessageMapping:  # type: ignore[override]
        """The headers, as a new mapping each time."""
        return to_message(self.js_response.headers)

    async def form_data(self) -> FormData:
        """The content as the fields of a form. Raises BodyUsedError, an OSError, when it was read before.

        Raises:
            TypeError: The content type is that of no form, or the content is no form.
        """
        self._raise_if_failed()
        return await read_form(self.js_response)

    async def formData(self) -> FormData:
        """The content as the fields of a form: the older name of `form_data`."""
        return await self.form_data()

    async def blob(self) -> Blob:
        """The content with its content type. Raises BodyUsedError, an OSError, when it was read before."""
        self._raise_if_failed()
        return Blob(await self.js_response.blob())
