"""What is in the archive, and the API that makes reports."""

import pytest
import respx

from pytest_workflows import calls_of


@pytest.fixture
def archived(workflow_env):
    """The names and contents of the files in the archive."""

    async def archived():
        listed = await workflow_env.ARCHIVE.list()
        return {file.key: await (await workflow_env.ARCHIVE.get(file.key)).text() for file in listed.objects}

    return archived


@pytest.fixture
def uploads(workflow_env):
    """The keys of what was put into the archive, in order: a test sees an upload that was made twice."""
    return lambda: [call.args[0] for call in calls_of(workflow_env.ARCHIVE) if call.method == "put"]


@pytest.fixture
def api():
    with respx.mock(base_url="https://reports.example.com", assert_all_called=False) as router:
        router.post("/reports", name="create").respond(json={"id": "r-1", "files": True})
        names = ["a.csv", "b.csv"]
        files = [{"name": name, "url": f"https://reports.example.com/files/{name}"} for name in names]
        router.get("/reports/r-1/files", name="list").respond(json=files)
        router.get("/files/a.csv", name="a").respond(text="1,2")
        router.get("/files/b.csv", name="b").respond(text="3,4")
        router.post("/reports/r-1/attachments", name="attach").respond(json={})
        router.post("/reports/r-1/finalize", name="finalize").respond(json={})
        yield router
