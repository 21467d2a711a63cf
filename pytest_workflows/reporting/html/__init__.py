"""The HTML page: one file that shows every workflow, test and instance of a session."""

from __future__ import annotations

from .page import render
from .report import Failure, Report, ReportedTest

__all__ = ["Failure", "Report", "ReportedTest", "render"]
