"""What `pytest-workflows pull` says where the API refuses, fails, or cannot be reached."""

import sys

import pytest

from .conftest import failure, success

pytest.importorskip("cloudflare")  # it is not installed on every Python that the suite runs on

BAD_HEADER = {"code": 6003, "message": "Invalid request headers", "error_chain": [{"code": 6111, "message": "format"}]}


def test_the_rate_limit_and_passing_failures_are_waited_for(shop, platform, dump, pauses):
    platform.add("a", dump("complete"))
    platform.failures = [
        (429, {"retry-after": "30"}, failure({"code": 971, "message": "Please wait"})),
        (429, {}, failure({"code": 971, "message": "Please wait"})),
        (503, {"content-type": "text/html"}, b"<html>"),
    ]

    ended = shop.command("pull", "orders", "a")

    assert (ended.code, pauses) == (0, [30.0, 2.0, 4.0])
    assert ended.err == "The API asks to wait 30 seconds.\n"


@pytest.mark.parametrize(
    ("failures", "message", "count"),
    [
        (
            [(429, {"retry-after": "3600"}, {})],
            "the API takes no request for another 3600 seconds: there were too many.",
            1,
        ),
        (
            [(429, {}, failure({"code": 971, "message": "wait"}))] * 9,
            "the API answers that there are too many requests: ",
            9,
        ),
        ([(500, {}, b"oops")] * 4, "the API fails with status 500: no message.", 4),
        ([*[(429, {}, {})] * 5, (503, {}, b"")], "the API fails with status 503: no message.", 6),
        ([(400, {}, failure(BAD_HEADER))], "the API refuses the token of the environment: Invalid request headers", 1),
        (
            [(403, {}, failure({"code": 10000, "message": "Authentication error"}))],
            "the API refuses the token of the",
            1,
        ),
        (
            [(422, {}, failure({"code": 1, "message": "bad id"}))],
            "asked for the instance 'a' of 'orders', the API answered:",
            1,
        ),
        ([(200, {}, b"<html>")], "asked for the instance 'a' of 'orders', the API at http", 1),
        ([(200, {}, ["a"])], "asked for the instance 'a' of 'orders', the API at http", 1),
        (
            [(200, {}, failure({"code": 7, "message": "no"}))],
            "asked for the instance 'a' of 'orders', the API answered: no",
            1,
        ),
    ],
)
def test_what_the_api_refuses_is_said_in_words(shop, platform, failures, message, count):
    platform.failures = list(failures)

    ended = shop.command("pull", "orders", "a")

    first, hint = ended.err.splitlines()[-2:]
    assert (ended.code, len(platform.requests)) == (3, count)
    assert first.startswith(f"Error: {message}")
    assert hint.startswith("Hint: ")


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["order", "a"], "the account has no workflow 'order'.", "Did you mean orders?"),
        (["order", "--errored"], "the account has no workflow 'order'.", "Did you mean orders?"),
        (["x", "latest"], "the account has no workflow 'x'.", "It has: orders, reports. Is acc the right account?"),
        (
            ["../../zones", "a"],
            "the account has no workflow '../../zones'.",
            "It has: orders, reports. Is acc the right account?",
        ),
        (
            ["..", "--running"],
            "the account has no workflow '..'.",
            "It has: orders, reports. Is acc the right account?",
        ),
        (["orders", ".."], "the workflow 'orders' has no instance '..', or has it no more.", "The platform keeps an"),
        (
            ["orders", "a"],
            "the workflow 'orders' has no instance 'a', or has it no more.",
            "The platform keeps an instance",
        ),
    ],
)
def test_a_workflow_or_an_instance_that_is_not_there(shop, platform, arguments, message, hint):
    ended = shop.command("pull", *arguments)

    assert ended.code == 3
    assert ended.err.splitlines()[0] == f"Error: {message}"
    assert ended.err.splitlines()[1].startswith(f"Hint: {hint}")
    assert not (shop.path / ".workflows").exists()


def test_an_account_that_the_token_does_not_have(shop, platform, monkeypatch):
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "another")

    ended = shop.command("pull", "orders", "a")

    assert ended.err.splitlines()[0] == (
        "Error: asked for the workflows of the account, the API answered: workflows.api.error.not_found (code 10007)."
    )
    assert ended.err.splitlines()[1].startswith("Hint: Does CLOUDFLARE_ACCOUNT_ID or account_id name the right account")


def test_a_list_without_ids_is_none(shop, platform):
    platform.failures = [(200, {}, success([{"name": "a"}]))]

    assert "the API's list of instances of 'orders' is [{'name': 'a'}]" in shop.command("pull", "orders").err


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"API_TOKEN": None}, "there is no API token for the account."),
        ({"API_TOKEN": " \n"}, "there is no API token for the account."),
        ({"API_TOKEN": "tök"}, "the API token of the environment is none: it has letters that no token has."),
        ({"API_TOKEN": "bad"}, "the API refuses the token of the environment: Invalid API Token (code 1000)."),
        (
            {"API_KEY": "k", "EMAIL": "a@b"},
            "the API refuses the token of the environment: Invalid API Token (code 1000).",
        ),
        ({"API_BASE_URL": "here"}, "CLOUDFLARE_API_BASE_URL is 'here', which is no address of an API."),
        ({"API_BASE_URL": "http://"}, "CLOUDFLARE_API_BASE_URL is 'http://', which is no address of an API."),
        ({"API_BASE_URL": "http://a:b"}, "CLOUDFLARE_API_BASE_URL is 'http://a:b', which is no address of an API."),
        ({"API_BASE_URL": "http://127.0.0.1:9/v4"}, "the API at http://127.0.0.1:9/v4 cannot be reached: "),
    ],
)
def test_a_token_or_an_address_that_is_wrong(shop, platform, monkeypatch, pauses, variables, message):
    for name, value in variables.items():
        monkeypatch.delenv(f"CLOUDFLARE_{name}", raising=False)
        if value is not None:
            monkeypatch.setenv(f"CLOUDFLARE_{name}", value)

    ended = shop.command("pull", "orders", "a")

    assert ended.code == 3
    assert ended.err.startswith(f"Error: {message}")
    if "API_KEY" in variables:
        assert platform.headers["x-auth-key"] == "k"
        assert platform.headers["x-auth-email"] == "a@b"


def test_a_token_is_sent_whatever_else_of_the_client_s_is_in_the_environment(shop, platform, dump, monkeypatch):
    monkeypatch.setenv("CLOUDFLARE_EMAIL", "a@b")
    monkeypatch.setenv("CLOUDFLARE_API_USER_SERVICE_KEY", "v1.0")
    platform.add("a", dump("complete"))

    assert shop.command("pull", "orders", "a").code == 0
    assert not {"x-auth-email", "x-auth-user-service-key"} & set(platform.headers)


def test_older_names_of_the_variables_and_the_only_account_of_a_token(shop, platform, dump, monkeypatch):
    monkeypatch.delenv("CLOUDFLARE_ACCOUNT_ID")
    monkeypatch.delenv("CLOUDFLARE_API_TOKEN")
    monkeypatch.setenv("CF_API_TOKEN", "good")
    platform.add("a", dump("complete"))

    assert shop.command("pull", "orders", "a").code == 0


def test_account_id_of_the_configuration_wins(shop, platform, dump, monkeypatch):
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "another")
    config = (shop.path / "wrangler.jsonc").read_text(encoding="utf-8")
    shop.write("wrangler.jsonc", config.replace('"name": "shop",', '"name": "shop", "account_id": "acc",', 1))
    platform.add("a", dump("complete"))

    assert shop.command("pull", "orders", "a").code == 0


@pytest.mark.parametrize(("ids", "which"), [([], "no account that it may list"), (["a", "b"], "several accounts")])
def test_an_account_that_is_not_named(shop, platform, monkeypatch, ids, which):
    monkeypatch.delenv("CLOUDFLARE_ACCOUNT_ID")
    platform.failures = [(200, {}, success([{"id": id} for id in ids]))]

    ended = shop.command("pull", "orders", "a")

    assert ended.err.splitlines()[0] == f"Error: the token has {which}."


def test_without_the_extra_it_says_what_to_install(shop, platform, monkeypatch):
    monkeypatch.setitem(sys.modules, "cloudflare", None)

    ended = shop.command("pull", "orders", "a")

    assert (ended.code, ended.err.splitlines()) == (
        3,
        ["Error: the platform's client is not installed.", "Hint: pip install 'pytest-workflows[pull]'"],
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["orders", "a", "--running"], "an ID, --errored and --running leave each other out."),
        (["orders", "--errored", "--running"], "an ID, --errored and --running leave each other out."),
        (["orders", ""], "the ID is empty."),
        ([" "], "the WORKFLOW is empty."),
    ],
)
def test_a_usage_that_says_two_things_or_nothing(shop, platform, arguments, message):
    ended = shop.command("pull", *arguments)

    assert (ended.code, ended.err.splitlines()[0]) == (2, f"Error: {message}")


def test_a_folder_that_cannot_be_written(shop, platform, dump):
    platform.add("a", dump("complete"))
    shop.write("taken", "a file")

    ended = shop.command("pull", "orders", "a", "--output", "taken")

    assert ended.code == 3
    assert ended.err.startswith("Error: the recording cannot be written: ")
