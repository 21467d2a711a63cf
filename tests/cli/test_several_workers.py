"""A recording of another Worker's workflow is run again from the top of the repository, as a failing test says."""

import json

SHOP = {
    "name": "shop",
    "main": "src/entry.py",
    "workflows": [{"name": "audit", "binding": "REMOTE", "class_name": "Audit", "script_name": "billing"}],
}
BILLING = {
    "name": "billing",
    "main": "src/entry.py",
    "workflows": [
        {"name": "audit", "binding": "AUDIT", "class_name": "Audit"},
        {"name": "other", "binding": "OTHER", "class_name": "Audit"},
    ],
    "vars": {"WHO": "billing"},
}
AUDIT = """
from workers import WorkflowEntrypoint, env

class Audit(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.sleep("nap", "1 day")
        return env.WHO
"""


def test_a_recording_of_another_workers_workflow_is_reproduced_from_the_top_of_the_repository(
    tmp_path, monkeypatch, cli
):
    files = {
        "pytest.ini": "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\nworkflows_workers = apps/*\n",
        "apps/shop/wrangler.json": json.dumps(SHOP),
        "apps/shop/src/entry.py": "",
        "apps/billing/wrangler.json": json.dumps(BILLING),
        "apps/billing/src/entry.py": AUDIT,
    }
    for binding in ("REMOTE", "billing/OTHER", "billing/NONE"):
        recording = {
            "format": "pytest-workflows-recording",
            "version": 1,
            "instance_id": "a",
            "status": "complete",
            "binding": binding,
            "class_name": "Audit",
            "config": "apps/shop/wrangler.json",
            "created_at": "2026-01-01T00:00:00Z",
            "steps": [{"kind": "sleep", "name": "nap", "status": "complete"}],
            "output": "billing",
        }
        files[f"{binding.replace('/', '-')}.json"] = json.dumps(recording)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)

    through_the_shop = cli("reproduce", "REMOTE.json")
    of_billing_alone = cli("reproduce", "billing-OTHER.json")
    of_nobody = cli("reproduce", "billing-NONE.json")

    assert (through_the_shop.code, through_the_shop.lines[-1]) == (0, "As recorded: complete.")
    assert (of_billing_alone.code, of_billing_alone.lines[-1]) == (0, "As recorded: complete.")
    assert of_nobody.code != 0
