"""Entrypoints of the suites' Workers. There they run pytest inside the Worker; here pytest runs, and they serve."""

from workers import Response, WorkerEntrypoint


class TestRunnerEntrypoint(WorkerEntrypoint):
    """The base of a Worker that would run its own tests at /run-tests/SUITE."""

    async def fetch(self, request):
        """Find nothing: the tests are run from outside."""
        return Response("not found", status=404)

    def plugins(self):
        """The plugins of the pytest that runs in the Worker."""
        return []


class TestRunner:
    """What would run the tests for a request; a framework's route mentions it."""

    def __init__(self, env, extra_plugins=()):
        raise NotImplementedError("pytest runs outside of the Worker")


class RunSuiteRequest:
    """What a request asks of the runner; a framework's route mentions it."""


def run_pytest(args):
    """Refuse to start a pytest inside of the one that runs."""
    raise NotImplementedError("pytest runs outside of the Worker")
