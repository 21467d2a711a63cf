"""The OpenAPI document: it is served, it shows without a network, and what it says is true."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from .conftest import BASE
from .serving import serving

SCHEMATHESIS = os.environ.get("WORKFLOWS_SCHEMATHESIS")
"""The command, of an environment of its own: its plugin of pytest would change what Hypothesis prints in this one."""


async def test_it_describes_every_route_of_the_four_apis(client):
    document = (await client.get("/__workflows/openapi.json")).json()

    assert document["openapi"] == "3.1.0"
    paths = document["paths"]
    assert set(paths["/client/v4/accounts/{account_id}/workflows/{workflow_name}"]) == {"get", "put", "delete"}
    assert "/cdn-cgi/explorer/api/workflows" in paths
    assert set(paths["/cdn-cgi/local/scheduled"]) == {"get", "post"}
    assert not [path for path in paths if not path.startswith(("/client/v4", "/cdn-cgi/", "/__workflows"))]
    assert "422" not in str(document)


async def test_the_page_needs_nothing_from_elsewhere(client):
    page = await client.get("/__workflows/docs")

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.search(r"https?://", page.text)
    assert "Pause, resume, terminate or restart an instance" in page.text
    assert BASE.replace("/acc/", "/{account_id}/") in page.text


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", f"{BASE}/orders/instances", "GET, POST"),
        ("POST", f"{BASE}/orders", "DELETE, GET, PUT"),
    ],
)
async def test_a_method_that_a_path_does_not_take_is_405_with_those_that_it_does(client, method, path, allowed):
    answer = await client.request(method, path)

    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert answer.json()["success"] is False


@pytest.mark.parametrize("path", ["/client/v4", "/client/v4/zones", "/cdn-cgi/image/x", "/__workflows/api/nothing"])
async def test_own_paths_that_are_nothing_say_so_in_the_envelope(client, path):
    answer = await client.get(path)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, 10007)
    assert answer.json()["errors"][0]["message"].endswith("See /__workflows/docs.")


@pytest.mark.skipif(not SCHEMATHESIS, reason="WORKFLOWS_SCHEMATHESIS does not name the command of schemathesis")
def test_schemathesis_finds_no_server_error_and_no_answer_off_the_schema(tmp_path):
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    with serving() as served:
        ended = subprocess.run(
            [
                *(SCHEMATHESIS, "run", f"{served.url}/__workflows/openapi.json"),
                *("--checks", f"{checks},response_headers_conformance", "--max-examples", "2", "--seed", "1"),
                *("--phases", "fuzzing", "--no-color"),
                *("--include-path-regex", "/client/v4/accounts/.*"),  # the others have its parts
            ],
            cwd=tmp_path,  # it keeps a cache where it runs
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )

    assert ended.returncode == 0, ended.stdout[-5000:]
