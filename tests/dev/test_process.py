"""`pytest-workflows dev` as a process: what only a process shows. The rest is tested within one (test_live_worker.py)."""

import json
import socket


def test_a_worker_is_served_until_ctrl_c(files, start, http):
    dev = start(files.folder).wait_until_up()

    assert http.get(dev.url).text == "version one"
    created = http.post(f"{dev.url}/", json={"name": "Ada"})
    assert (created.status_code, created.json()) == (202, {"id": "g-1"})
    of_api = http.get(f"{dev.url}/client/v4/accounts/me/workflows/greetings/instances/g-1").json()
    assert of_api["result"]["status"] == "waiting"
    assert json.loads((files.state / "running.json").read_text())["url"] == dev.url

    assert dev.interrupt() == 0
    assert "stopped; start it again, and everything goes on." in dev.said
    assert "Traceback" not in dev.said
    assert not (files.state / "running.json").exists()
    assert (files.state / ".gitignore").read_text().endswith("*\n")


def test_a_change_of_the_source_is_deployed_and_a_broken_one_is_refused(files, start, http):
    dev = start(files.folder).wait_until_up()

    files.replace("version one", "version two")
    dev.wait_for("version 2 is deployed.")
    assert http.get(dev.url).text == "version two"

    files.replace("class Default", "class Default(")
    dev.wait_for("the change is refused, and version 2 goes on:")
    dev.wait_for("src/entry.py:15: SyntaxError")
    assert http.get(dev.url).text == "version two"


def test_what_was_answered_is_there_after_the_process_was_killed(files, start, http):
    dev = start(files.folder).wait_until_up()
    assert http.post(f"{dev.url}/", json={"name": "Ada"}).status_code == 202

    dev.kill()
    dev = start(files.folder).wait_until_up()

    instance = f"{dev.url}/client/v4/accounts/me/workflows/greetings/instances/g-1"
    assert http.get(instance).json()["result"]["status"] == "waiting"
    assert http.post(f"{instance}/events/approve", json={"by": "Eve"}).json()["success"]
    assert dev.interrupt() == 0


def test_a_port_in_use_is_left_to_who_has_it(files, start, http):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        dev = start(files.folder, "--port", str(port)).wait_until_up()

        assert f"port {port} is in use; this is the next free one:" in dev.said
        assert http.get(dev.url).text == "version one"


def test_a_source_that_cannot_be_imported_is_told_in_words(files, start):
    files.write("import nothing_of_that_name\n")

    dev = start(files.folder)

    assert dev.end() == 3
    assert "Error: src/entry.py:1: ModuleNotFoundError: No module named 'nothing_of_that_name'" in dev.said
    assert "Traceback" not in dev.said
