"""The call of a test that begins on an older source: what the test says of it is no verdict."""

from __future__ import annotations

import bdb
from collections.abc import Generator
from typing import TYPE_CHECKING, Any
from unittest import SkipTest

import pytest

from pytest_workflows.errors import WorkflowUpgradeError

if TYPE_CHECKING:
    from .testrun import TestRun

_THROUGH = (KeyboardInterrupt, SystemExit, GeneratorExit, bdb.BdbQuit, SkipTest)


def call_for_upgrade(test_run: TestRun) -> Generator[None, Any, Any]:
    """Let a test be called, and judge what became of its instances in place of what the test says.

    Args:
        test_run: The test's run.

    Raises:
        WorkflowUpgradeError: If an instance in flight does not come to what it should.
    """
    __tracebackhide__ = True
    failure: BaseException | None = None
    outcome = None
    try:
        try:
            outcome = yield
        except (*_THROUGH, pytest.skip.Exception, pytest.exit.Exception):
            raise
        except BaseException as error:
            failure = error
        try:
            assert test_run.upgrade is not None
            test_run.upgrade.judge(failure)
        except BaseException as verdict:
            test_run.write_report(verdict)
            if isinstance(verdict, WorkflowUpgradeError) and verdict.__cause__ is None:
                raise pytest.fail.Exception(str(verdict), pytrace=False) from None
            raise
        return outcome
    finally:
        test_run.stop()
