"""The Worker's requests are answered by the suite's own origin.py, which is its global outbound on the platform."""

import pytest
from in_the_worker import answered_by


@pytest.fixture(autouse=True)
def internet(in_the_worker):
    from origin import Default

    with answered_by(Default):
        yield
