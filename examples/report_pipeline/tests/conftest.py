"""The archive, and the API that makes reports."""

import pytest
import respx


class Bucket:
    """R2 as far as the workflow uses it. It counts, so that a test sees an upload that was made twice."""

    def __init__(self):
        self.objects = {}
        self.puts = []

    async def head(self, key):
        return {"key": key} if key in self.objects else None

    async def put(self, key, value):
        self.puts.append(key)
        self.objects[key] = value


@pytest.fixture
def archive():
    return Bucket()


@pytest.fixture
def workflow_bindings(archive):
    return {"ARCHIVE": archive}


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
