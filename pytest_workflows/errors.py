"""What goes wrong with a Worker's configuration and its bindings."""

from __future__ import annotations


class WorkflowConfigError(Exception):
    """The wrangler configuration, or the module it names, is not as it must be. The message names file and line."""


class WorkflowConfigWarning(UserWarning):
    """The wrangler configuration has something that wrangler warns of. The message names file and line."""


class MissingBindingError(Exception):
    """A binding was used that the configuration declares and the test does not provide.

    It is no AttributeError on purpose: `hasattr` must not swallow it.
    """
