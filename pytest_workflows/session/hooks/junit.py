"""The part of JUnit XML (`--junit-xml`) on a test's workflows, whatever its own options are.

pytest writes captured output there, and nothing of other sections; so a report's `<system-out>` gets ours behind its
own. The recordings are properties, which pytest writes itself.
"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest


class JunitSections:
    """Puts sections of reports into the file. Registered where one is written.

    Args:
        config: pytest's configuration.
        titles: Of which sections.
    """

    def __init__(self, config: pytest.Config, titles: tuple[str, ...]) -> None:
        self._config = config
        self._titles = titles
        self._texts: list[tuple[Any, pytest.TestReport, str]] = []

    @property
    def _xml(self) -> Any:
        from _pytest.junitxml import xml_key

        return self._config.stash.get(xml_key, None)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the sections of a test's report."""
        text = "\n\n".join(content for title, content in report.sections if title in self._titles)
        if text and self._xml is not None:
            self._texts.append((self._xml.node_reporter(report), report, text))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Put the sections in, before the file is written."""
        for reporter, report, text in self._texts:
            if "nodes" in vars(reporter):  # a run of exploration, which has no teardown that would close it
                for name, value in report.user_properties:
                    reporter.add_property(name, value)
                _put(reporter.nodes, text)
            else:
                _put(reporter.to_xml(), text)


def _put(nodes: Any, text: str) -> None:
    """Add a text to the `system-out` among these nodes."""
    known = next((node for node in nodes if node.tag == "system-out"), None)
    if known is not None:
        known.text = f"{known.text or ''}\n{text}"
        return
    node = ElementTree.Element("system-out")
    node.text = text
    after = [number for number, one in enumerate(nodes) if one.tag != "system-err"]
    nodes.insert(after[-1] + 1 if after else 0, node)
