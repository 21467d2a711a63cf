"""The bucket, the model, the index, and the third party that scans texts."""

from types import SimpleNamespace

import pytest
import respx


class Uploads:
    """R2 as far as the workflow uses it."""

    def __init__(self):
        self.files = {"docs/a.txt": "a" * 90, "docs/b.txt": "b" * 30, "other/c.txt": "c"}
        self.reads = []

    async def list(self, prefix):
        return SimpleNamespace(objects=[SimpleNamespace(key=key) for key in self.files if key.startswith(prefix)])

    async def get(self, key):
        async def text():
            self.reads.append(key)
            return self.files[key]

        return SimpleNamespace(text=text)


class Model:
    """Workers AI: a vector for each text."""

    async def run(self, model, inputs):
        return {"data": [[float(len(text)), 0.5] for text in inputs["text"]]}


class Index:
    """Vectorize."""

    def __init__(self):
        self.vectors = {}

    async def upsert(self, vectors):
        self.vectors.update({vector["id"]: vector["values"] for vector in vectors})


@pytest.fixture
def uploads():
    return Uploads()


@pytest.fixture
def index():
    return Index()


@pytest.fixture
def workflow_bindings(uploads, index):
    return {"UPLOADS": uploads, "AI": Model(), "INDEX": index}


@pytest.fixture
def scanner():
    with respx.mock(assert_all_called=False) as router:
        yield router.post("https://scanner.example.com/scan").respond(json={"clean": True})
