"""Every observation of the Python level: its input runs in this Worker, and each of its answers is a test."""

import json

import pytest
from golden_notation import ask_once, is_as, observations
from python_level_exceptions import DIFFERS, LEFT_OUT

# What the platform does in silence is a finding here, and these inputs do all of it.
pytestmark = pytest.mark.filterwarnings("ignore::pytest_workflows.WorkflowRuleWarning")

RECORDS = {record["id"]: record for _, record in observations(level="python")}
LABELS = [
    pytest.param(id, label, id=f"{id}::{label}")
    for id, record in RECORDS.items()
    for label in record["observed"]
    if (id, label) not in LEFT_OUT
]

_answers = {}
"""The answers of the records that ran, by id."""


@pytest.fixture
async def answers(record, workflow_worker):
    async def ask():
        response = await workflow_worker.fetch("/", method="POST", json={"input": RECORDS[record]["input"]})
        return json.loads(await response.text())

    return await ask_once(record, ask, _answers)


@pytest.mark.parametrize(("record", "label"), LABELS)
def test_the_worker_sees_what_it_saw_on_the_real_runtime(record, label, answers):
    observed, _ = DIFFERS.get((record, label), (RECORDS[record]["observed"][label], None))

    assert is_as(observed, answers[label]), f"observed: {observed}\nhere:     {answers[label]}"


def test_the_list_of_differences_names_observations_that_there_are():
    for id, label in (*DIFFERS, *LEFT_OUT):
        assert label in RECORDS[id]["observed"]
