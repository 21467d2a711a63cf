"""The Worker's requests are answered by the suite's own origin.py, which is behind its global outbound on the platform.

A test there is code of a Worker, which runs in an event loop whether it is async or not.
"""

import asyncio

import pytest
from in_the_worker import answered_by


@pytest.fixture(autouse=True)
def internet(in_the_worker):
    from origin import Default

    with answered_by(Default):
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}

    async def run():
        pyfuncitem.obj(**arguments)

    asyncio.run(run())
    return True
