"""`pytest-workflows stats`: what many recordings say of their workflows."""

import json

from .conftest import text


def test_a_workflow_s_statistics(cli, dumps):
    ended = cli("stats", dumps, "--workflow", "ORDERS")

    assert ended.code == 0
    assert ended.out == text("""
        ORDERS: 10 instances
          Status:        2 running, 3 errored, 1 terminated, 2 complete, 2 waiting
          Wall time:     median 1 day 1 hour, longest 4 days 32 seconds
          Virtual time:  median 1 day 1 hour, longest 4 days 32 seconds
          Waiting:       11 days 7 hours in all (virtual time, while no step worked)
          Working:       14 seconds 260 ms in all (what steps' attempts took)
          Steps:         28, 15 retries

          Slowest steps        Runs  Failed  Retries          Working            Virtual
          step charge card        9       2       15  1 second 415 ms  31 seconds 450 ms
          step ship-2026          1       0        0  1 second 260 ms    1 second 260 ms
          step check stock       10       0        0           270 ms             270 ms
          sleep cool down         5       0        0                -             3 days
          wait for event          3       1        0                -              1 day
          approval
        """)


def test_a_file_that_is_no_recording_is_named(cli, dumps):
    ended = cli("stats", dumps)

    assert ended.code == 0
    assert ended.err.startswith(f"Not read: {dumps}/api_error.json: the API answered with an error")


def test_recordings_of_several_workflows(cli, dumps, tmp_path):
    for name in ("A", "B"):
        reported = cli("describe", dumps / "complete.json", "--workflow", name, "--json").out
        (tmp_path / f"{name}.json").write_text(reported)
    ended = cli("stats", tmp_path / "A.json", tmp_path / "B.json", dumps / "errored.json")

    assert [line for line in ended.lines if line.endswith(("instance", "instances"))] == [
        "A: 1 instance",
        "B: 1 instance",
        "unknown: 1 instance",
    ]


def test_the_recordings_of_one_workflow(cli, dumps, tmp_path):
    for name in ("A", "B"):
        reported = cli("describe", dumps / "complete.json", "--workflow", name, "--json").out
        (tmp_path / f"{name}.json").write_text(reported)
    chosen = cli("stats", tmp_path, "--workflow", "B")
    unknown = cli("stats", tmp_path, "--workflow", "NOPE")

    assert chosen.lines[0] == "B: 1 instance"
    assert "A: 1 instance" not in chosen.lines
    assert unknown.code == 2
    assert unknown.err == (
        "Error: there is no workflow 'NOPE': the recordings are of A, B.\nHint: Name one of these.\n"
    )


def test_json(cli, dumps):
    [orders] = json.loads(cli("stats", dumps, "--workflow", "ORDERS", "--json").out)

    assert (orders["workflow"], orders["instances"], orders["retries"]) == ("ORDERS", 10, 15)
    assert orders["statuses"] == {"running": 2, "errored": 3, "terminated": 1, "complete": 2, "waiting": 2}


def test_a_folder_without_a_recording(cli, tmp_path):
    ended = cli("stats", tmp_path)

    assert ended.code == 3
    assert ended.err == ("Error: none of the files is a recording.\nHint: Record some: pytest --workflows-record=all\n")
