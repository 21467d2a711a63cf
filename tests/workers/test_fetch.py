"""`workers.fetch`: mocked by respx and pytest-httpx, refused otherwise, real where that is allowed."""

from __future__ import annotations

import threading
from http import HTTPMethod
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
import respx

from pytest_workflows import NetworkRefusedError
from pytest_workflows.workers import Request, fetch
from pytest_workflows.workers.network import set_network

URL = "https://api.example.com/orders"
REFUSED = (
    "workers.fetch was about to send {} {} to the network: no mock answered it. "
    "Answer it with respx or with pytest-httpx (fixture httpx_mock), "
    "or let requests out with @pytest.mark.workflow(allow_network=True)."
)


@pytest.fixture(autouse=True)
def network():
    before = set_network(False)
    yield set_network
    set_network(before)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/here")
            self.send_header("Set-Cookie", "a=1")
            self.end_headers()
            return
        body = f"{self.path} cookie={self.headers['Cookie']} agent={self.headers['User-Agent']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with HTTPServer(("127.0.0.1", 0), Handler) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.001})
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()
        thread.join()


# -- respx -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("using", ["httpcore", "httpx"])
async def test_respx_answers(using):
    with respx.mock(using=using) as router:
        route = router.post(URL).respond(201, json={"id": 1}, headers={"x-a": "1"})

        response = await fetch(URL, method=HTTPMethod.POST, headers={"authorization": "t"}, body='{"sku": "A1"}')

    assert (response.status, response.url, response.headers["x-a"]) == (201, URL, "1")
    assert await response.json() == {"id": 1}
    sent = route.calls.last.request
    assert sent.headers["authorization"] == "t"
    assert sent.headers["content-type"] == "text/plain;charset=UTF-8"
    assert sent.content == b'{"sku": "A1"}'


@pytest.mark.parametrize("using", ["httpcore", "httpx"])
async def test_what_respx_does_not_match_is_its_own_error(using):
    with respx.mock(using=using, assert_all_called=False) as router:
        router.get("https://other.example.com")
        with pytest.raises(AssertionError, match=r"^RESPX: <Request\('GET', '.*'\)> not mocked!$"):
            await fetch(URL)


@pytest.mark.parametrize("using", ["httpcore", "httpx"])
async def test_what_respx_lets_pass_is_refused(using):
    with respx.mock(using=using) as router:
        router.get(URL).pass_through()
        with pytest.raises(NetworkRefusedError):
            await fetch(URL)


async def test_a_connection_that_respx_breaks_is_an_os_error():
    with respx.mock() as router:
        router.get(URL).mock(side_effect=httpx.ConnectError)
        with pytest.raises(OSError, match=r"^Mock Error$") as caught:
            await fetch(URL)

    assert isinstance(caught.value.__cause__, httpx.ConnectError)


# -- pytest-httpx ------------------------------------------------------------------------------------------------------


async def test_pytest_httpx_answers(httpx_mock):
    httpx_mock.add_response(url=URL, method="PUT", status_code=204)

    response = await fetch(Request(URL, method="PUT", body=b"abc"))

    assert response.status == 204
    assert await response.text() == ""
    [sent] = httpx_mock.get_requests()
    assert sent.content == b"abc"


@pytest.mark.httpx_mock(assert_all_requests_were_expected=False)
async def test_what_pytest_httpx_does_not_match_keeps_its_text(httpx_mock):
    with pytest.raises(OSError, match=f"^No response can be found for GET request on {URL}") as caught:
        await fetch(URL)

    assert isinstance(caught.value.__cause__, httpx.TimeoutException)


@pytest.mark.httpx_mock(should_mock=lambda request: False)
async def test_what_pytest_httpx_lets_pass_is_refused(httpx_mock):
    with pytest.raises(NetworkRefusedError):
        await fetch(URL)


async def test_a_redirect_is_followed(httpx_mock):
    httpx_mock.add_response(url=URL, method="POST", status_code=303, headers={"location": "/orders/1"})
    httpx_mock.add_response(url=f"{URL}/1", method="GET", text="one")

    response = await fetch(URL, method="POST", body="a")

    assert (response.url, response.redirected, await response.text()) == (f"{URL}/1", True, "one")


async def test_a_redirect_is_handed_out_where_that_is_asked_for(httpx_mock):
    httpx_mock.add_response(url=URL, status_code=302, headers={"location": "/orders/1"})

    response = await fetch(URL, redirect="manual")

    assert (response.status, response.headers["location"], response.redirected) == (302, "/orders/1", False)


async def test_redirects_in_a_circle_end(httpx_mock):
    httpx_mock.add_response(url=URL, status_code=302, headers={"location": URL}, is_reusable=True)

    with pytest.raises(OSError, match=r"^Too many redirects\.$"):
        await fetch(URL)

    assert len(httpx_mock.get_requests()) == 21


async def test_only_the_headers_that_were_given_are_sent(httpx_mock):
    httpx_mock.add_response()

    await fetch(URL, headers={"x-a": "1"})

    assert dict(httpx_mock.get_request().headers) == {"host": "api.example.com", "x-a": "1"}


async def test_options_of_the_platform_alone_are_accepted(httpx_mock):
    httpx_mock.add_response()

    assert (await fetch(URL, cf={"cacheTtl": 60}, headers=None)).ok


async def test_a_status_that_no_worker_could_make_is_passed_on(httpx_mock):
    httpx_mock.add_response(status_code=999)

    assert (await fetch(URL)).status == 999


# -- no mock -----------------------------------------------------------------------------------------------------------


async def test_a_request_that_no_mock_answers_is_refused():
    with pytest.raises(NetworkRefusedError) as caught:
        await fetch(URL, method="POST")

    assert str(caught.value) == REFUSED.format("POST", URL)
    assert (caught.value.method, caught.value.url) == ("POST", URL)
    assert not isinstance(caught.value, OSError)


async def test_nothing_reaches_a_server_that_would_answer(server):
    with pytest.raises(NetworkRefusedError):
        await fetch(server)


async def test_a_redirect_out_of_the_mock_is_refused_by_its_own_url():
    with respx.mock() as router:
        router.get(URL).respond(302, headers={"location": "https://elsewhere.example.com/x"})
        router.get("https://elsewhere.example.com/x").pass_through()
        with pytest.raises(NetworkRefusedError) as caught:
            await fetch(URL)

    assert str(caught.value) == REFUSED.format("GET", "https://elsewhere.example.com/x")


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "ALL_PROXY"])
async def test_a_proxy_of_the_machine_is_no_way_out(name, server, monkeypatch):
    monkeypatch.setenv(name, server)

    with pytest.raises(NetworkRefusedError):
        await fetch(URL)


@pytest.mark.parametrize(
    ("resource", "options", "message"),
    [
        ("orders", {}, "^Invalid URL: orders$"),
        ("ftp://example.com/x", {}, "^Fetch API cannot load: ftp://example.com/x$"),
        (URL, {"body": "a"}, r"^Request with a GET or HEAD method cannot have a body\.$"),
        (URL, {"redirect": "error"}, '^Invalid redirect value, must be one of "follow" or "manual" '),
    ],
)
async def test_what_the_platform_would_not_send_is_an_os_error(resource, options, message):
    with pytest.raises(OSError, match=message):
        await fetch(resource, **options)


# -- the network -------------------------------------------------------------------------------------------------------


async def test_the_network_answers_where_it_is_allowed(server, network, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    network(True)

    response = await fetch(f"{server}/moved")

    assert response.url == f"{server}/here"
    assert await response.text() == "/here cookie=None agent=None"


async def test_a_failed_connection_is_an_os_error(server, network, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    network(True)
    closed = HTTPServer(("127.0.0.1", 0), Handler)
    closed.server_close()

    with pytest.raises(OSError, match="connection") as caught:
        await fetch(f"http://127.0.0.1:{closed.server_port}")

    assert isinstance(caught.value.__cause__, httpx.ConnectError)
