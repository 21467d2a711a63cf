"""`pytest-workflows pull`: instances of an account, from a server that answers as the API's published schema says."""

import base64
import functools
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from durable_engine import FINAL_STATUSES, STATUSES
from pytest_workflows.account import IN_FLIGHT, Account
from pytest_workflows.recordings import load

WHEN = "2026-03-02T09:00:0{}.000Z"
UNKNOWN_TOKEN = {"code": 1000, "message": "Invalid API Token"}
BAD_HEADER = {"code": 6003, "message": "Invalid request headers", "error_chain": [{"code": 6111, "message": "format"}]}
NOT_FOUND = {"code": 10007, "message": "workflows.api.error.not_found"}


class Platform:
    """The platform's API for one account, with the workflow `orders`.

    Attributes:
        instances: What it has: by id, as `GET .../instances/{id}` answers without the envelope.
        outputs: The whole outputs of steps: by id and name.
        failures: What the next requests get in place of an answer: status, headers, body.
        requests: The requests so far: path and query.
        headers: The headers of the last one.
        cursors: Whether lists are continued by a cursor, or by page numbers.
        page: How many rows a page has at most.
        gone: Ids that are listed and are no more.
    """

    def __init__(self) -> None:
        self.instances: dict[str, dict[str, Any]] = {}
        self.outputs: dict[tuple[str, str], Any] = {}
        self.failures: list[tuple[int, dict[str, str], Any]] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.headers: dict[str, str] = {}
        self.cursors = True
        self.page = 100
        self.gone: set[str] = set()

    def add(self, id: str, dump: dict[str, Any], number: int = 0) -> None:
        self.instances[id] = {**dump, "queued": f"2026-03-02T09:{number // 60:02}:{number % 60:02}.000Z"}

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, str], Any]:
        if self.failures:
            return self.failures.pop(0)
        if self.headers.get("authorization") != "Bearer good":
            return 401, {}, failure(UNKNOWN_TOKEN)
        match [unquote(part) for part in path.removeprefix("/client/v4/").split("/")]:
            case ["accounts"]:
                return 200, {}, success([{"id": "acc", "name": "Ours"}])
            case ["accounts", "acc", "workflows"]:
                return 200, {}, success([{"name": "orders"}, {"name": "reports"}], total_count=2, page=1, per_page=100)
            case ["accounts", "acc", "workflows", "orders", "instances"]:
                return 200, {}, self._list(query)
            case ["accounts", "acc", "workflows", "orders", "instances", id] if id in self.instances.keys() - self.gone:
                return 200, {}, success(self.instances[id])
            case ["accounts", "acc", "workflows", "orders", "instances", id, "step"]:
                output = self.outputs.get((id, query["name"]))
                if isinstance(output, bytes):
                    return 200, {"content-type": "application/octet-stream"}, output
                return (404, {}, failure(NOT_FOUND)) if output is None else (200, {}, success(output))
        return 404, {}, failure(NOT_FOUND)

    def _list(self, query: dict[str, str]) -> dict[str, Any]:
        rows = [
            row(id, one) for id, one in self.instances.items() if one["status"] == query.get("status", one["status"])
        ]
        rows.sort(key=lambda one: one["created_on"], reverse=query.get("direction") == "desc")
        size = min(self.page, int(query.get("per_page", "10")))
        page = int(query.get("cursor") or query.get("page") or 1)
        found = rows[(page - 1) * size : page * size]
        info: dict[str, Any] = {"per_page": size, "count": len(found), "total_count": len(rows)}
        if not self.cursors:
            info["page"] = page
        elif page * size < len(rows):
            info["cursor"] = str(page + 1)
        return success(found, **info)


def row(id: str, one: dict[str, Any]) -> dict[str, Any]:
    times = {
        "created_on": one["queued"],
        "started_on": one["start"],
        "ended_on": one["end"],
        "modified_on": one["queued"],
    }
    ids = {"id": id, "workflow_id": "wf", "version_id": one["versionId"]}
    return {**ids, **times, "status": one["status"], "trigger_source": "api"}


def success(result: Any, **info: Any) -> dict[str, Any]:
    return {"success": True, "errors": [], "messages": [], "result": result, **({"result_info": info} if info else {})}


def failure(error: dict[str, Any]) -> dict[str, Any]:
    return {"success": False, "errors": [error], "messages": [], "result": None}


@pytest.fixture(scope="module")
def server():
    """The one server of this file; each test gives it a platform of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here: Platform = self.server.platform  # type: ignore[attr-defined]
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query))
            here.headers = {name.lower(): value for name, value in self.headers.items()}
            here.requests.append((parts.path, query))
            status, headers, body = here.answer(parts.path, query)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {
                "content-type": "application/json",
                **headers,
                "content-length": str(len(data)),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


@pytest.fixture
def pauses(monkeypatch):
    """The seconds that the command would have waited."""
    found: list[float] = []
    monkeypatch.setattr("pytest_workflows.cli.commands.pull.Account", functools.partial(Account, sleep=found.append))
    return found


@pytest.fixture
def platform(server, monkeypatch, pauses):
    server.platform = Platform()
    for name in ("API_KEY", "EMAIL", "API_TOKEN", "ACCOUNT_ID", "API_BASE_URL"):
        monkeypatch.delenv(f"CLOUDFLARE_{name}", raising=False)
        monkeypatch.delenv(f"CF_{name}", raising=False)
    monkeypatch.setenv("CLOUDFLARE_API_BASE_URL", f"http://127.0.0.1:{server.server_port}/client/v4")
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "good")
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "acc")
    return server.platform


@pytest.fixture
def dump(dumps):
    """A dump as the API has it: bare, by name."""

    def read(name: str, **changes: Any) -> dict[str, Any]:
        found = json.loads((dumps / f"{name}.json").read_text(encoding="utf-8"))
        found = found.get("result", found)
        return {**{key: value for key, value in found.items() if key != "id"}, **changes}

    return read


def files(shop: Any, folder: str = ".workflows/production/orders") -> dict[str, Any]:
    return {path.name: load(path) for path in sorted((shop.path / folder).glob("*.json"))}


# -- what is written -----------------------------------------------------------------------------------------------


def test_an_instance_is_written_as_a_recording_that_replays(shop, platform, dump):
    platform.add("order-77", dump("complete"))

    ended = shop.command("pull", "orders", "order-77")

    path = ".workflows/production/orders/ORDERS-order-77.json"
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == f"{path}  complete\n\n1 instance of 'orders'. Replay: pytest --workflows-replay={path}\n"
    recording = load(shop.path / path)
    assert (recording.source, recording.instance_id) == ("production", "order-77")
    assert (recording.workflow, recording.binding) == ("orders", "ORDERS")
    assert recording.notes == []
    assert (shop.path / ".workflows/production/.gitignore").read_text().endswith("\n*\n")
    assert shop.pytest("--workflows-replay=.workflows/production/orders").code == 0
    assert shop.command("describe", path).code == 0


def test_the_binding_names_the_workflow_as_well_and_the_folder_can_be_said(shop, platform, dump):
    platform.add("order-77", dump("complete"))

    ended = shop.command("pull", "ORDERS", "order-77", "--output", "tests/histories")

    assert (ended.code, ended.err) == (0, "")
    assert list(files(shop, "tests/histories")) == ["ORDERS-order-77.json"]
    assert not (shop.path / ".workflows").exists()


def test_a_workflow_that_the_project_does_not_have_is_written_without_a_binding(shop, platform, dump):
    (shop.path / "wrangler.jsonc").unlink()
    platform.add("order-77", dump("complete"))

    assert shop.command("pull", "orders", "order-77").code == 0
    assert files(shop)["orders-order-77.json"].binding is None


def test_values_are_those_of_the_answer_and_a_sleep_under_way_is_a_sleep(shop, platform, dump):
    sleeping = dump("sleeping")
    sleeping["steps"][0]["output"] = {"in_stock": 7, "sure": True, "price": 1.0, "much": 2**60}
    platform.add("a", sleeping)

    shop.command("pull", "orders", "a")

    check, _, sleep = files(shop)["ORDERS-a.json"].steps
    assert json.dumps(check.result["sure"]) == "true"
    assert isinstance(check.result["price"], float)
    assert check.result["much"] == {"$type": "bigint", "value": str(2**60)} or check.result["much"] == 2**60
    assert (sleep.kind, sleep.status, sleep.duration_ms) == ("sleep", "waiting", 3 * 86_400_000)


def test_what_the_server_answers_is_what_the_published_schema_says(platform, dump):
    from cloudflare.types.workflows import InstanceGetResponse, InstanceListResponse

    for name in ("complete", "errored", "sleeping", "terminated"):
        one = dump(name)
        for step in one["steps"]:
            if not isinstance(step.get("output", ""), str | None):
                step["output"] = json.dumps(step["output"])  # the schema has texts there, and older answers have values
        one["output"] = one["output"] if isinstance(one["output"], str) else json.dumps(one["output"])
        InstanceGetResponse.model_validate_json(json.dumps(one), strict=True)
        InstanceListResponse.model_validate_json(json.dumps(row("a", one)), strict=True)


# -- which instances -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cursors", [True, False])
def test_all_pages_are_read(shop, platform, dump, cursors):
    platform.cursors, platform.page = cursors, 2
    for number in range(5):
        platform.add(f"order-{number}", dump("errored"), number)
    platform.add("fine", dump("complete"), 9)

    ended = shop.command("pull", "orders", "--errored")

    assert (ended.code, ended.err) == (0, "")
    assert [line.split()[0][-9:-5] for line in ended.lines[:5]] == ["er-4", "er-3", "er-2", "er-1", "er-0"]
    assert ended.lines[-1].startswith(
        "5 instances of 'orders'. Replay: pytest --workflows-replay=.workflows/production/"
    )
    assert all("page" not in query or "cursor" not in query for _, query in platform.requests)


def test_the_latest_the_running_ones_all_of_them_and_a_limit(shop, platform, dump):
    for number, name in enumerate(["complete", "sleeping", "waiting", "running", "errored"]):
        platform.add(name, dump(name), number)
    platform.add("paused", dump("sleeping", status="paused"), 7)
    wanted = {
        ("latest",): ["paused"],
        ("--running",): ["paused", "running", "waiting", "sleeping"],
        ("--running", "--limit", "2"): ["paused", "running"],
        ("--errored",): ["errored"],
        ("--limit", "3"): ["paused", "errored", "running"],
        (): ["paused", "errored", "running", "waiting", "sleeping", "complete"],
    }

    for arguments, ids in wanted.items():
        ended = shop.command("pull", "orders", *arguments)
        shown = [line.split()[0] for line in ended.lines if line.startswith(".workflows")]
        assert shown == [f".workflows/production/orders/ORDERS-{id}.json" for id in ids], (arguments, ended.err)


def test_the_statuses_of_running_ones_are_all_that_are_no_end():
    assert set(IN_FLIGHT) == {*STATUSES, "rollingBack"} - FINAL_STATUSES - {"unknown"}


def test_a_workflow_without_such_instances(shop, platform):
    assert (
        shop.command("pull", "orders", "--running").out == "Nothing to write: no instance of 'orders' is in flight.\n"
    )
    assert shop.command("pull", "orders").out == "Nothing to write: no instance of 'orders'.\n"
    ended = shop.command("pull", "orders", "latest")
    assert (ended.code, ended.err.splitlines()[0]) == (3, "Error: the workflow 'orders' has no instances.")


def test_an_instance_that_is_gone_meanwhile_is_left_out(shop, platform, dump):
    platform.add("a", dump("errored"))
    platform.add("b", dump("errored"))
    platform.gone = {"a"}

    ended = shop.command("pull", "orders", "--errored")

    assert (ended.code, list(files(shop))) == (0, ["ORDERS-b.json"])
    assert ended.err == "Left out: the workflow 'orders' has no instance 'a', or has it no more.\n"


def test_an_instance_that_cannot_be_read_is_left_out_and_the_others_are_written(shop, platform, dump):
    platform.add("a", dump("errored"))
    platform.add("b", dump("errored"))
    platform.instances["a"]["steps"] = [{"type": "step", "name": "x-1", "start": WHEN.format(0), "output": deep(500)}]

    ended = shop.command("pull", "orders", "--errored")

    assert (ended.code, list(files(shop))) == (3, ["ORDERS-b.json"])
    assert "Left out: the instance 'a' of 'orders': this recording cannot be read: its values are nested" in ended.err


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


# -- outputs and secrets -------------------------------------------------------------------------------------------


def test_an_output_that_was_cut_short_is_asked_for_as_a_whole(shop, platform, dump):
    platform.add("a", dump("truncated"))
    stock = {"in_stock": 7, "text": "x" * 80 + "..."}
    platform.outputs["a", "check stock-1"] = {"status": "complete", "error": None, "output": stock}

    shop.command("pull", "orders", "a")

    recording = files(shop)["ORDERS-a.json"]
    assert recording.steps[0].result == stock
    assert not [note for note in recording.notes if "check stock" in note]


def test_an_output_that_the_api_does_not_have_stays_unknown(shop, platform, dump):
    platform.add("a", dump("truncated"))

    assert shop.command("pull", "orders", "a").code == 0

    recording = files(shop)["ORDERS-a.json"]
    assert recording.steps[0].result["$type"] == "unknown"
    assert any("check stock-1" in note for note in recording.notes)


def test_a_stream_a_secret_output_and_the_payload_of_an_event(shop, platform, dump):
    one = dump("complete")
    stream, secret, event = (
        one["steps"][0],
        one["steps"][1],
        next(s for s in one["steps"] if s["type"] == "waitForEvent"),
    )
    stream["output"] = "[ReadableStream]"
    secret["output"] = "[REDACTED]"
    secret["config"]["sensitive"] = "output"
    event["output"] = {**event["output"], "payload": '{"by": "a [truncated output]'}
    platform.add("a", one)
    platform.outputs["a", stream["name"]] = b"\x00\xff"
    platform.outputs["a", event["name"]] = {"status": "complete", "error": None, "output": {"by": "ada"}}

    shop.command("pull", "orders", "a")

    recording = files(shop)["ORDERS-a.json"]
    by_name = {step.label: step for step in recording.steps}
    assert by_name[stream["name"]].result == {"$type": "stream", "value": base64.b64encode(b"\x00\xff").decode()}
    assert by_name[secret["name"]].result == {"$type": "unknown", "reason": "redacted"}
    assert by_name[event["name"]].result["payload"] == recording.events[0].payload == {"by": "ada"}
    asked = {(query["name"], query["type"]) for path, query in platform.requests if path.endswith("/step")}
    assert asked == {(stream["name"], "step"), (event["name"], "waitForEvent")}


def test_what_the_ini_names_as_secret_is_not_written_in_texts_of_json_either(shop, platform, dump):
    shop.write("pytest.ini", "[pytest]\nworkflows_redact = card Token\n")
    one = dump("complete")
    one["params"]["card"] = "tok_visa_4242"
    one["steps"][0]["output"] = json.dumps({"inner": [{"token": "s3cr3t-value"}]})
    one["steps"][1]["output"] = "charged tok_visa_4242 with s3cr3t-value"
    platform.add("a", one)

    shop.command("pull", "orders", "a", "--text-outputs")

    text = next((shop.path / ".workflows/production/orders").glob("*.json")).read_text(encoding="utf-8")
    assert "charged [REDACTED] with [REDACTED]" in text
    assert "tok_visa_4242" not in text
    assert "s3cr3t-value" not in text


# -- what goes wrong -----------------------------------------------------------------------------------------------


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
        (["x", "latest"], "the account has no workflow 'x'.", "It has: orders, reports."),
        (["../../zones", "a"], "the account has no workflow '../../zones'.", "It has: orders, reports."),
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
        (["a", "--running"], "an ID, --errored and --running leave each other out."),
        (["--errored", "--running"], "an ID, --errored and --running leave each other out."),
        ([""], "the ID is empty."),
    ],
)
def test_a_usage_that_says_two_things(shop, platform, arguments, message):
    ended = shop.command("pull", "orders", *arguments)

    assert (ended.code, ended.err.splitlines()[0]) == (2, f"Error: {message}")


def test_a_folder_that_cannot_be_written(shop, platform, dump):
    platform.add("a", dump("complete"))
    shop.write("taken", "a file")

    ended = shop.command("pull", "orders", "a", "--output", "taken")

    assert ended.code == 3
    assert ended.err.startswith("Error: the recording cannot be written: ")
