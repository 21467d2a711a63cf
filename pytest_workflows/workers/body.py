"""The body of a request or a response: what is made of Python's values, and the form that is read from it.

Source: workers-runtime-sdk 1.9.5, `workers.request` and `workers.response`.
"""

from __future__ import annotations

from typing import Any

from durable_engine import JsException

from .formdata import FormData
from .js_convert import to_js
from .js_view import to_python_exception

__all__ = ["read_form", "to_js_body"]


def to_js_body(body: Any) -> Any:
    """The body as JavaScript has it; an object of JavaScript, a str and None stay as they are.

    Args:
        body: bytes, a `FormData`, or what stays as it is.
    """
    if isinstance(body, bytes):
        return to_js(body)
    return body.js_object if isinstance(body, FormData) else body


async def read_form(message: Any) -> FormData:
    """The content as the fields of a form.

    Args:
        message: A `js.Request` or a `js.Response`.

    Raises:
        TypeError: The content type is that of no form, or the content is no form.
    """
    try:
        return FormData(await message.formData())
    except JsException as error:
        raise to_python_exception(error) from error
