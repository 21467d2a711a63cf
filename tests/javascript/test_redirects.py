"""Redirects of `fetch` on a service binding."""

from __future__ import annotations

import pytest

from durable_engine import JsException
from pytest_workflows.javascript.headers import Headers
from pytest_workflows.javascript.objects import JsArray, JsPlain
from pytest_workflows.javascript.redirects import follow
from pytest_workflows.javascript.request import Request
from pytest_workflows.javascript.response import Response

URL = "https://shop.example.com/old"


class Server:
    """Answers with what it has, and keeps what it was asked."""

    def __init__(self, *answers: tuple[int, str]) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, str, str]] = []

    async def answer(self, request: Request) -> Response:
        assert request.redirect == "manual"
        self.asked.append((request.method, request.url, await request.text()))
        status, location = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        headers = Headers(JsArray([JsArray(["location", location])] if location else []))
        return Response._received(b"", status, "", headers)


async def test_a_redirect_is_followed_with_the_path_that_it_says():
    server = Server((302, "/new?a=1"), (200, ""))

    response = await follow(server.answer, Request(URL))

    assert (response.status, response.url, response.redirected) == (200, "https://shop.example.com/new?a=1", True)
    assert [url for _, url, _ in server.asked] == [URL, "https://shop.example.com/new?a=1"]


async def test_a_request_may_want_to_see_it():
    response = await follow(Server((302, "/new")).answer, Request(URL, JsPlain({"redirect": "manual"})))

    assert (response.status, response.url, response.redirected) == (302, URL, False)


@pytest.mark.parametrize(
    ("status", "second"),
    [(301, ("GET", "")), (302, ("GET", "")), (303, ("GET", "")), (307, ("POST", "hi")), (308, ("POST", "hi"))],
)
async def test_a_body_is_sent_again_where_the_status_says_so(status, second):
    server = Server((status, "/new"), (200, ""))

    await follow(server.answer, Request(URL, JsPlain({"method": "POST", "body": "hi"})))

    method, _, text = server.asked[1]
    assert (method, text) == second


async def test_a_stream_cannot_be_sent_again():
    stream = Request(URL, JsPlain({"method": "POST", "body": "hi"})).body

    with pytest.raises(JsException, match="one-time-use body"):
        await follow(Server((307, "/new")).answer, Request(URL, JsPlain({"method": "POST", "body": stream})))


async def test_a_circle_ends():
    server = Server((302, "/old"))

    with pytest.raises(JsException, match=r"^Error: Too many redirects\.$"):
        await follow(server.answer, Request(URL))
    assert len(server.asked) == 21
