"""Analytics Engine: data points are taken, and the calls recorded. Observed: miniflare 5.20261117.0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_workflows.javascript.convert import is_number
from pytest_workflows.javascript.objects import JsArray, JsObject, js_text, option

from .js_arguments import is_given, utf8
from .options import warn_of_unknown_options

if TYPE_CHECKING:
    from pytest_workflows.project.binding_config import BindingConfig

    from .host import Host

MOST = {"indexes": 1, "blobs": 20, "doubles": 20}
MAX_INDEX = 96
MAX_BLOBS = 16 * 1024


def make(config: BindingConfig, host: Host) -> LocalAnalyticsEngineDataset:
    """Make the stand-in of a dataset."""
    return LocalAnalyticsEngineDataset(host, config.name)


class LocalAnalyticsEngineDataset(JsObject):
    """A dataset. Every data point is taken; one that production drops is a finding.

    Args:
        host: The test.
        name: The binding's name, for findings.
    """

    def __init__(self, host: Host, name: str) -> None:
        self._host, self._name = host, name

    def writeDataPoint(self, point: Any = None) -> None:
        """Write a data point.

        Args:
            point: `indexes`, `blobs` and `doubles`, each an array.
        """
        if not is_given(point):
            return
        warn_of_unknown_options(self._host, f"env.{self._name}.writeDataPoint(...)", point, tuple(MOST))
        lists = {name: value._items for name in MOST if isinstance(value := option(point, name), JsArray)}
        for name, most in MOST.items():
            if len(lists.get(name, ())) > most:
                self._warn(f"has {len(lists[name])} {name}, and a data point up to {most}")
        if any(len(utf8(js_text(index))) > MAX_INDEX for index in lists.get("indexes", ())):
            self._warn(f"has an index of more than {MAX_INDEX} bytes")
        if sum(len(utf8(js_text(blob))) for blob in lists.get("blobs", ())) > MAX_BLOBS:
            self._warn(f"has more than {MAX_BLOBS} bytes of blobs")
        wrong = [value for value in lists.get("doubles", ()) if not is_number(value)]
        if wrong:
            self._warn(f"has the double {js_text(wrong[0])!r}, which is no number")

    def _warn(self, what: str) -> None:
        self._host.warn("documented-limit", f"env.{self._name}.writeDataPoint(...) {what}")
