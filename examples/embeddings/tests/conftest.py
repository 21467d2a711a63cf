"""The files in the bucket, the model, the index, and the third party that scans texts."""

import pytest
import respx

from pytest_workflows import AiAnswers, calls_of


def vectors(inputs):
    """Workers AI: a vector for each text."""
    return {"data": [[float(len(text)), 0.5] for text in inputs["text"]]}


class Index:
    """Vectorize."""

    def __init__(self):
        self.vectors = {}

    async def upsert(self, vectors):
        self.vectors.update({vector["id"]: vector["values"] for vector in vectors})


async def three_files(env):
    for key, text in {"docs/a.txt": "a" * 90, "docs/b.txt": "b" * 30, "other/c.txt": "c"}.items():
        await env.UPLOADS.put(key, text)


@pytest.fixture
def workflow_seed():
    return three_files


@pytest.fixture
def reads(workflow_env):
    """The files that were read so far."""
    return lambda: [call.args[0] for call in calls_of(workflow_env.UPLOADS) if call.method == "get"]


@pytest.fixture
def index():
    return Index()


@pytest.fixture
def workflow_bindings(index):
    return {"AI": AiAnswers({"@cf/baai/bge-base-en-v1.5": vectors}), "INDEX": index}


@pytest.fixture
def scanner():
    with respx.mock(assert_all_called=False) as router:
        yield router.post("https://scanner.example.com/scan").respond(json={"clean": True})
