"""The fixtures that the suite's Worker gives the pytest that would run inside of it."""

import pytest


@pytest.fixture
def django_asgi_app():
    from worker import django_asgi_app

    return django_asgi_app
