"""The HTML page: one file that shows every workflow, test and instance of a session.

What stands on the page belongs here, with the scripts that it brings along. What it is made of belongs to `recordings`
and to the rooms beside this one; when it is written, to `session`.
"""

from __future__ import annotations

from .page import render
from .report import Failure, Report, ReportedTest

__all__ = ["Failure", "Report", "ReportedTest", "render"]
