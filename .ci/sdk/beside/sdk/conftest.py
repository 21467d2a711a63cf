"""The Worker's requests are answered by the suite's own server.py, which is its global outbound on the platform."""

import pytest
from in_the_worker import answered_by


@pytest.fixture(autouse=True)
def internet(in_the_worker):
    from server import Default

    with answered_by(Default):
        yield
