"""`Headers`, `URL` and `URLSearchParams` as Python code on the platform meets them."""

from __future__ import annotations

import pytest

from durable_engine import JsException, jsnull
from pytest_workflows.javascript.headers import Headers as HeadersClass
from pytest_workflows.javascript.objects import JsPlain, constructor_of
from pytest_workflows.javascript.url import URL as URLClass
from pytest_workflows.javascript.url import URLSearchParams as URLSearchParamsClass

Headers, URL, URLSearchParams = map(constructor_of, (HeadersClass, URLClass, URLSearchParamsClass))


def test_headers_take_the_items_of_a_dict_and_write_values_as_javascript_does():
    headers = Headers.new({"A": True, "b": 1.0, "c": None, "d": " x "}.items())

    assert [list(pair) for pair in headers] == [["a", "true"], ["b", "1"], ["c", "undefined"], ["d", "x"]]
    assert headers.get("missing") is jsnull


def test_headers_take_an_object_and_other_headers():
    first = Headers.new(JsPlain({"X-A": "1"}))

    assert Headers.new(first).get("x-a") == "1"


def test_a_dict_is_iterated_over_by_its_keys_and_so_refused():
    with pytest.raises(JsException, match=r"^TypeError: Failed to construct 'Headers'.*pass its \.items\(\)"):
        Headers.new({"content-type": "text/plain"})


@pytest.mark.parametrize(
    ("name", "value", "text"), [("a b", "c", "Invalid header name."), ("a", "b\nc", "Invalid header value.")]
)
def test_a_header_that_http_cannot_carry_is_refused(name, value, text):
    with pytest.raises(JsException) as caught:
        Headers.new([[name, value]])

    assert (caught.value.name, caught.value.message) == ("TypeError", text)


def test_a_header_that_is_refused_is_not_there():
    headers = Headers.new()
    with pytest.raises(JsException, match="Invalid header value"):
        headers.append("a", "b\nc")

    assert not headers.has("a")
    assert headers.get("a") is jsnull


def test_values_of_one_name_are_joined_and_cookies_are_not():
    headers = Headers.new([["a", "1"], ["A", "2"], ["set-cookie", "x=1"], ["Set-Cookie", "y=2"]])

    assert headers.get("a") == "1, 2"
    assert list(headers.getSetCookie()) == ["x=1", "y=2"]
    assert [list(pair) for pair in headers] == [["a", "1, 2"], ["set-cookie", "x=1"], ["set-cookie", "y=2"]]


def test_a_value_in_latin_letters_is_accepted():
    assert Headers.new([["a", "ü"]]).get("a") == "ü"


def test_a_url_is_read_as_the_standard_says():
    url = URL.new("HTTPS://User:pw@EXAMPLE.com:443/a/../b c?q=ü#f")

    assert url.href == "https://User:pw@example.com/b%20c?q=%C3%BC#f"
    assert (url.protocol, url.host, url.port, url.pathname, url.search, url.hash, url.origin) == (
        *("https:", "example.com", "", "/b%20c", "?q=%C3%BC", "#f"),
        "https://example.com",
    )
    assert URL.new("../x", "https://a.b/c/d/").href == "https://a.b/c/x"


def test_a_url_that_is_none_is_a_type_error():
    with pytest.raises(JsException) as caught:
        URL.new("nowhere")

    assert str(caught.value) == "TypeError: Invalid URL string."
    assert URL.canParse("nowhere") is False
    assert URL.parse("nowhere") is jsnull


def test_parameters_and_url_change_together():
    url = URL.new("https://a.b/?a=1")

    url.searchParams.append("b", "x y~*")
    assert url.href == "https://a.b/?a=1&b=x+y%7E*"

    url.search = "c=3"
    assert [list(pair) for pair in url.searchParams] == [["c", "3"]]


def test_parameters_are_read_and_written_as_forms_are():
    params = URLSearchParams.new("?a=1&b=%20+x&a=2&")

    assert [list(pair) for pair in params] == [["a", "1"], ["b", "  x"], ["a", "2"]]
    assert list(params.getAll("a")) == ["1", "2"]
    assert params.get("z") is jsnull
    params.set("a", 3)
    params.sort()
    assert params.toString() == "a=3&b=++x"
    assert params.size == 2


def test_what_has_get_and_set_can_be_indexed():
    headers = Headers.new([["a", "1"]])
    headers["b"] = "2"
    del headers["a"]

    assert (headers["B"], "a" in headers, headers["a"]) == ("2", False, jsnull)
    with pytest.raises(TypeError):
        len(headers)
    assert len(URLSearchParams.new("a=1&b=2")) == 2
    with pytest.raises(TypeError):
        URL.new("https://a.b")["href"]
