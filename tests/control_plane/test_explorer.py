"""What wrangler asks of a local session, and the answers that it reads; with wrangler itself where there is one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .serving import serving

ROOTS = ["/cdn-cgi/local/explorer/api", "/cdn-cgi/explorer/api"]


@pytest.fixture(params=ROOTS)
def base(request):
    return f"{request.param}/workflows"


async def result(answering):
    answer = await answering
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


async def test_workflows_and_how_many_instances_have_each_status(shop, client, base):
    await client.post(f"{base}/orders/instances", json={"params": {"card": "declined"}})
    await shop.engine.run_until_idle()

    listed = await result(client.get(base))
    one = await result(client.get(f"{base}/orders"))

    assert listed == [{"name": "orders", "class_name": "OrderWorkflow", "script_name": "worker"}]
    assert one["instances"] == {
        **dict.fromkeys(("queued", "running", "paused", "terminated", "complete", "waitingForPause", "waiting"), 0),
        "errored": 1,
    }


async def test_params_are_values_and_no_json_text(shop, client, base):
    for number, params in enumerate([{"a": [1, None]}, "a text", "12", 12, None, []]):
        made = await result(client.post(f"{base}/orders/instances", json={"id": f"x{number}", "params": params}))

        assert made == {"id": f"x{number}"}
        assert (await result(client.get(f"{base}/orders/instances/x{number}")))["params"] == params


async def test_an_instance_s_outputs_are_values_and_what_goes_on_has_no_end(shop, client, base):
    await client.post(f"{base}/orders/instances", json={"id": "x", "params": {}})
    await shop.engine.settle()
    sleeping = await result(client.get(f"{base}/orders/instances/x"))
    await shop.engine.advance("3 days")
    waiting = await result(client.get(f"{base}/orders/instances/x"))
    sent = await result(client.post(f"{base}/orders/instances/x/events/approved", json={"by": "grace"}))
    await shop.engine.run_until_idle()
    complete = await result(client.get(f"{base}/orders/instances/x"))

    assert [step["output"] for step in sleeping["steps"][:2]] == [{"in_stock": 7}, "ch_81"]
    assert [(step["end"], step["finished"]) for step in (sleeping["steps"][2], waiting["steps"][3])] == [
        (None, False)
    ] * 2
    assert (sent, complete["output"]) == ({"success": True}, {"approved_by": "grace"})
    assert complete["steps"][3]["output"]["payload"] == {"by": "grace"}


async def test_instances_are_listed_by_pages_and_deleted_together(shop, client, base):
    for number in range(3):
        await client.post(f"{base}/orders/instances", json={"id": f"x-{number}"})
    await shop.engine.settle()

    page = (await client.get(f"{base}/orders/instances?page=2&per_page=2&status=waiting")).json()
    document = (await client.get("/__workflows/openapi.json")).json()["paths"]
    parameters = document[f"{base}/{{workflow_name}}/instances"]["get"]["parameters"]
    assert not {"cursor", "direction"} & {one["name"] for one in parameters}  # a local session knows neither
    gone = await result(client.post(f"{base}/orders/instances/batch/delete", json={"instances": ["x-0", "none"]}))

    assert [one["id"] for one in page["result"]] == ["x-0"]
    assert {key: page["result_info"][key] for key in ("page", "per_page", "total_count", "total_pages")} == {
        "page": 2,
        "per_page": 2,
        "total_count": 3,
        "total_pages": 2,
    }
    assert gone["deleted"] == [{"id": "x-0"}]
    assert [(one["id"], one["code"]) for one in gone["errors"]] == [("none", 10400)]


# -- wrangler itself ---------------------------------------------------------------------------------------------------

COMMANDS = [
    ("list", "orders"),
    ("describe orders", "OrderWorkflow"),
    ("""trigger orders {"sku":"tea"} --id order-1""", 'instance "order-1" has been triggered'),
    ("instances list orders", "order-1"),
    ("instances describe orders latest", "cool down-1"),
    ("instances pause orders order-1", "was paused successfully"),
    ("instances resume orders order-1", "was resumed successfully"),
    ("""instances send-event orders order-1 --type approved --payload {"by":"grace"}""", 'event with type "approved"'),
    ("instances restart orders order-1", "was restarted successfully"),
    ("instances terminate orders order-1", "was terminated successfully"),
    ("instances describe orders none", "has no instance 'none'"),
    ("instances delete orders order-1", "Deleted workflow instances"),
    ("delete orders", "removed successfully"),
]


def _wrangler() -> list[str]:
    """The command, where `WORKFLOWS_WRANGLER` names a folder in which `npm install wrangler@4.164.0 node@22` was run."""
    folder = os.environ.get("WORKFLOWS_WRANGLER")
    if folder is None:
        pytest.skip("WORKFLOWS_WRANGLER names no folder in which `npm install wrangler@4.164.0 node@22` was run")
    modules = Path(folder) / "node_modules"
    node = modules / ".bin" / "node"
    return [str(node) if node.exists() else shutil.which("node") or "node", str(modules / "wrangler/bin/wrangler.js")]


@pytest.fixture(scope="module")
def session():
    command = _wrangler()
    with serving() as served:
        yield command, served.port


@pytest.mark.parametrize(("arguments", "said"), COMMANDS, ids=[arguments for arguments, _ in COMMANDS])
def test_wrangler_s_own_command(session, tmp_path, arguments, said):
    command, port = session
    ended = subprocess.run(
        [*command, "workflows", *arguments.split(" "), "--local", "--port", str(port)],
        cwd=tmp_path,
        env={**os.environ, "CI": "1", "NO_COLOR": "1", "WRANGLER_SEND_METRICS": "false"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert said in ended.stdout + ended.stderr


def test_wrangler_s_json_is_the_instance(session, tmp_path):
    command, port = session
    arguments = ["workflows", "trigger", "orders", '{"sku":"tea"}', "--json", "--local", "--port", str(port)]
    ended = subprocess.run([*command, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)

    assert set(json.loads(ended.stdout)) == {"id"}
