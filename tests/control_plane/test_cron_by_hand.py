"""A cron trigger by hand, at the vendor's addresses."""

import pytest

from .conftest import START_MS

PATHS = ["/cdn-cgi/local/scheduled", "/cdn-cgi/handler/scheduled"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_it_is_fired_for_now_or_for_a_time(shop, client, path, method):
    now = await client.request(method, path, params={"cron": "*/5 * * * *"})
    then = await client.request(method, path, params={"cron": "0 9 * * 1", "time": "1700000000000"})

    assert [(one.status_code, one.text) for one in (now, then)] == [(200, "ok")] * 2
    assert shop.fired == [("*/5 * * * *", START_MS), ("0 9 * * 1", 1_700_000_000_000)]


@pytest.mark.parametrize("path", PATHS)
async def test_an_exception_is_a_500_and_json_says_more(shop, client, path):
    shop.outcome = "exception"

    plain = await client.get(path)
    said = await client.get(path, params={"format": "json"})

    assert (plain.status_code, plain.text) == (500, "exception")
    assert (said.status_code, said.json()) == (500, {"outcome": "exception", "noRetry": True})
