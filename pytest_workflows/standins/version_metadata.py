"""The metadata of the deployed version."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from pytest_workflows.javascript.collections import JsDate
from pytest_workflows.javascript.objects import JsPlain

if TYPE_CHECKING:
    from pytest_workflows.project.binding_config import BindingConfig

    from .host import Host


def make(config: BindingConfig, host: Host) -> JsPlain:
    """Make the metadata: an id of the test's seed, no tag, and the time of the test."""
    id = uuid.UUID(int=host.random.getrandbits(128), version=4)
    return JsPlain({"id": str(id), "tag": "", "timestamp": JsDate(host.now_ms()).toISOString()})
