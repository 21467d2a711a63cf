"""The fixtures that the suite's Worker gives the pytest that would run inside of it."""

import pytest


@pytest.fixture
def fastapi_app():
    from worker import app

    return app
