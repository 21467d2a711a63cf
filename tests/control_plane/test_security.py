"""Who may ask the control plane: its own hosts, its own page, whoever has the token."""

from __future__ import annotations

import pytest

from pytest_workflows.control_plane.security import Security, make_token

from .conftest import BASE, client_of

OWN = ["/__workflows/openapi.json", BASE, "/cdn-cgi/local/explorer/api/workflows", "/cdn-cgi/explorer/api/workflows"]


async def test_own_paths_answer_to_no_foreign_host(shop, client):
    for path in (*OWN, "/cdn-cgi/handler/scheduled", "/__workflows/docs"):
        for host in ("evil.example.com", "127.0.0.1.evil.example.com", "10.0.0.7:8787", ""):
            answer = await client.get(path, headers={"host": host})

            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, 9109)
            assert "does not answer to the host" in answer.json()["errors"][0]["message"]
    assert shop.fired == []


async def test_own_paths_answer_to_this_machine_s_names(client):
    for host in ("localhost:8787", "127.0.0.1", "[::1]:8787", "shop.localhost:99", "LOCALHOST"):
        assert (await client.get(BASE, headers={"host": host})).status_code == 200


async def test_an_option_names_further_hosts(shop):
    async with client_of(shop, Security(hosts=frozenset({"dev.example.com"}))) as client:
        assert (await client.get(BASE, headers={"host": "dev.example.com:8787"})).status_code == 200
        assert (await client.get(BASE, headers={"host": "other.example.com"})).status_code == 403


async def test_the_worker_answers_to_any_host(client):
    assert (await client.get("/x", headers={"host": "shop.example.com"})).text == "GET http://shop.example.com/x"


FOREIGN = [
    {"origin": "https://evil.example.com"},
    {"origin": "http://127.0.0.1:9999"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
]
CHANGES = [
    ("POST", f"{BASE}/orders/instances"),
    ("DELETE", f"{BASE}/orders"),
    ("PATCH", f"{BASE}/orders/instances/x/status"),
    ("POST", "/cdn-cgi/local/explorer/api/workflows/orders/instances"),
    ("GET", "/cdn-cgi/local/scheduled"),
    ("GET", "/cdn-cgi/handler/scheduled?cron=x"),
    ("GET", "/cdn-cgi/handler/schedule%64?cron=x"),
    ("GET", "/%63dn-cgi/handler/scheduled?cron=x"),
]


async def test_a_page_of_another_site_changes_nothing(shop, client):
    for headers in FOREIGN:
        for method, path in CHANGES:
            answer = await client.request(method, path, headers=headers)

            assert answer.status_code == 403
            assert "page of another site" in answer.json()["errors"][0]["message"]
    assert (shop.engine.instances, shop.fired) == ([], [])


async def test_its_own_page_changes_what_it_likes(shop, client):
    headers = {"origin": "http://127.0.0.1:8787", "sec-fetch-site": "same-origin"}

    assert (await client.post(f"{BASE}/orders/instances", json={}, headers=headers)).status_code == 200


async def test_a_form_of_any_site_is_no_json(shop, client):
    answer = await client.post(
        f"{BASE}/orders/instances", content='{"instance_id": "x"}', headers={"content-type": "text/plain"}
    )

    assert answer.status_code == 400
    assert shop.engine.instances == []


async def test_nothing_of_the_own_paths_may_be_read_by_other_origins(client):
    answer = await client.get(BASE, headers={"origin": "https://evil.example.com"})

    assert "access-control-allow-origin" not in answer.headers


# -- the token ---------------------------------------------------------------------------------------------------------


@pytest.fixture
async def guarded(shop):
    async with client_of(shop, Security(token="s3cret", hosts=frozenset({"dev.example.com"}))) as found:
        yield found


@pytest.mark.parametrize("path", OWN)
async def test_own_paths_want_the_token(guarded, path):
    for headers in (
        {},
        {"authorization": "Bearer other"},
        {"authorization": "s3cret"},
        {"authorization": "Basic s3cret"},
        {"cookie": "workflows_token=x"},
        {"cookie": "workflows_token_8787=x; workflows_token_x=s3cret; my_workflows_token=s3cret"},
    ):
        answer = await guarded.get(path, headers=headers)

        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (401, 10000)
        assert "s3cret" not in answer.text

    assert (await guarded.get(path, headers={"authorization": "Bearer s3cret"})).status_code == 200


async def test_the_page_takes_the_token_from_its_address_into_a_cookie(guarded):
    opened = await guarded.get("/__workflows/docs?a=1&token=s3cret")
    cookie = opened.headers["set-cookie"]
    again = await guarded.get("/__workflows/docs", headers={"cookie": cookie.partition(";")[0]})

    assert (opened.status_code, opened.headers["location"]) == (303, "/__workflows/docs?a=1")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert again.status_code == 200
    guarded.cookies.clear()
    assert (await guarded.get("/__workflows/docs?token=other")).status_code == 401
    assert (await guarded.get(f"{BASE}?token=s3cret")).status_code == 401
    assert (await guarded.post("/__workflows/api/create?token=s3cret", json={})).status_code == 401


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("localhost:8787", "workflows_token_8787"),
        ("localhost:8788", "workflows_token_8788"),
        ("[::1]:8787", "workflows_token_8787"),
        ("[::1]", "workflows_token"),
        ("dev.example.com", "workflows_token"),
        ("localhost:a=b; c", "workflows_token"),
    ],
)
async def test_servers_on_several_ports_of_a_host_have_a_cookie_each(guarded, host, name):
    opened = await guarded.get("/__workflows?token=s3cret", headers={"host": host})

    assert opened.headers["set-cookie"].partition("=")[0] == name


async def test_the_token_s_cookie_is_found_beside_odd_ones_of_the_worker(guarded):
    for cookies in (
        '{"theme": "dark"}; workflows_token=s3cret',
        "workflows_token_1=other; workflows_token_8787=s3cret",
        "a=b c[]; workflows_token = s3cret ;x",
        "=;workflows_token=s3cret",
    ):
        assert (await guarded.get(BASE, headers={"cookie": cookies})).status_code == 200


async def test_the_worker_wants_no_token(guarded):
    assert (await guarded.get("/x")).status_code == 200


def test_tokens_are_long_and_each_is_another_one():
    made = {make_token() for _ in range(50)}

    assert len(made) == 50
    assert min(map(len, made)) >= 32
