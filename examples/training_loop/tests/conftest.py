"""The cluster, whose losses the tests say beforehand."""

import pytest


class Cluster:
    """Trains in no time."""

    def __init__(self):
        self.losses = [0.9, 0.5, 0.2, 0.08]
        self.trained = []

    async def train(self, checkpoint, rate):
        self.trained.append((checkpoint, rate))
        return f"checkpoint-{len(self.trained)}"

    async def evaluate(self, checkpoint):
        return self.losses[int(checkpoint.split("-")[1]) - 1]


@pytest.fixture
def cluster():
    return Cluster()


@pytest.fixture
def workflow_bindings(cluster):
    return {"CLUSTER": cluster}
