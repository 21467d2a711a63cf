"""The cluster, whose losses the tests say beforehand."""

import pytest


class Cluster:
    """Trains in no time."""

    def __init__(self):
        self.losses = [0.9, 0.5, 0.2, 0.08]
        self.trained = []
        self._jobs = {}

    async def train(self, checkpoint, rate, job):
        if job not in self._jobs:
            self.trained.append((checkpoint, rate))
            self._jobs[job] = f"checkpoint-{len(self.trained)}"
        return self._jobs[job]

    async def evaluate(self, checkpoint):
        return self.losses[int(checkpoint.split("-")[1]) - 1]


@pytest.fixture
def cluster():
    return Cluster()


@pytest.fixture
def workflow_bindings(cluster):
    return {"CLUSTER": cluster}
