"""The suite's one test case is its Worker's `test` handler, which `workerd test` would call."""

import inspect

import pytest
from workers import env


@pytest.mark.asyncio
async def test_default():
    from worker import Default

    handler = Default(None, env).test
    await (handler(None) if inspect.signature(handler).parameters else handler())
