"""`pytest-workflows pull`: instances of an account, from a server that answers as the API's published schema says."""

import base64
import json
from typing import Any

import pytest

from durable_engine import FINAL_STATUSES, STATUSES
from pytest_workflows.account.api import IN_FLIGHT
from pytest_workflows.recordings import load

pytest.importorskip("cloudflare")  # it is not installed on every Python that the suite runs on


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


def test_the_line_that_replays_names_a_folder_as_a_whole_however_long_it_is(shop, platform, dump):
    platform.add("order-77", dump("complete"))
    folder = "/".join(["one of the folders that are above the recordings"] * 5)

    ended = shop.command("pull", "orders", "order-77", "--output", folder)

    assert ended.lines[-1].endswith(f" pytest --workflows-replay='{folder}/ORDERS-order-77.json'")


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
        InstanceListResponse.model_validate_json(json.dumps(platform.row("a", one)), strict=True)


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


def test_an_api_that_has_one_page_for_every_number_ends(shop, platform, dump, monkeypatch):
    platform.add("a", dump("errored"))
    rows = [platform.row("a", platform.instances["a"])]
    monkeypatch.setattr(platform, "_list", lambda query: {"success": True, "result": rows})

    assert shop.command("pull", "orders").code == 0
    assert [query.get("page") for path, query in platform.requests if path.endswith("/instances")] == [None, "2"]


def test_rows_of_another_status_are_left_out_where_the_api_sends_them_along(shop, platform, dump, monkeypatch):
    answer = platform.answer
    monkeypatch.setattr(
        platform, "answer", lambda path, query: answer(path, {k: v for k, v in query.items() if k != "status"})
    )
    platform.add("fine", dump("complete"))
    platform.add("bad", dump("errored"))

    shop.command("pull", "orders", "--errored")

    assert list(files(shop)) == ["ORDERS-bad.json"]


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
    platform.instances["a"]["steps"] = [
        {"type": "step", "name": "x-1", "start": "2026-03-02T09:00:00Z", "output": deep(500)}
    ]

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
