"""Errors in a Worker's configuration, and errors for things that a test does not provide to its Worker."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit


class WorkflowConfigError(Exception):
    """The wrangler configuration, or the module it names, is not as it must be. The message names file and line."""


class WorkflowConfigWarning(UserWarning):
    """The wrangler configuration has something that wrangler warns of. The message names file and line."""


class WorkflowUpgradeError(Exception):
    """An instance in flight does not come to its end as it should when today's source is deployed under it.

    Args:
        text: What is wrong, for a reader.
        kind: What is wrong, in a word: a crash alone may do the same.

    Attributes:
        kind: As given.
    """

    def __init__(self, text: str, kind: str = "") -> None:
        super().__init__(text)
        self.kind = kind


class UnprovidedError(Exception):
    """The Worker used something that the platform has, and that neither this plugin nor the test provides.

    It is no error of the workflow: a step that fails with one is not retried, and the test fails at its end with it
    even where the Worker's own code has caught it.

    Args:
        what: The fact, a clause without a full stop.
        rest: The cause, and the next step.
        about: The subject, such as the binding's name: of uses that differ in nothing else, one is reported.

    Attributes:
        place: Where the Worker did so, as `src/entry.py:6`; None where no code of a Worker did.
        step: The label of the step whose callback did so, or None.
    """

    _separator = ": "

    def __init__(self, what: str, rest: str, about: str = "") -> None:
        super().__init__(what, rest)
        self._about = about
        self.place: str | None = None
        self.step: str | None = None

    @property
    def subject(self) -> str | None:
        """The thing that was used, and the place if that is known."""
        return None if self.place is None else f"{self._about} {self.place}"

    def __str__(self) -> str:
        what, rest = self.args
        step = "" if self.step is None else f", in step {self.step!r}"
        where = "" if self.place is None else f" ({self.place}{step})"
        return f"{what}{where}{self._separator}{rest}"


class MissingBindingError(UnprovidedError):
    """A binding was used that the configuration declares and the test does not provide.

    It is no AttributeError on purpose: `hasattr` must not swallow it.
    """


_ANSWER_THE_CLIENT = (
    "no mock answered its request. respx and pytest-httpx (fixture httpx_mock) answer http.client, urllib and requests "
    "in a Worker as they answer workers.fetch; answer it with one of them, or"
)
_SEND_BY_FETCH = (
    "a test's Worker must not reach the network by sockets either. Send the request with workers.fetch, which respx or "
    "pytest-httpx (fixture httpx_mock) answers; replace the call in the test, as with monkeypatch; or"
)


class NetworkRefusedError(UnprovidedError):
    """The Worker was about to use the network, no mock answered, and the network is not allowed.

    No OSError: a source that handles a broken network must not mistake a missing mock for one.

    Attributes:
        method: The request's method; None for a connection that is opened without `workers.fetch`.
        url: The request's URL, or what the connection was to, `example.com:443`.
    """

    def __init__(self, what: str, rest: str, *, url: str, method: str | None = None) -> None:
        super().__init__(what, rest, urlsplit(url).hostname or url)
        self.method = method
        self.url = url

    @classmethod
    def of_request(cls, method: str, url: str) -> NetworkRefusedError:
        """A request of `workers.fetch`."""
        return cls(
            f"workers.fetch was about to send {method} {url} to the network",
            "no mock answered it. Answer it with respx or with pytest-httpx (fixture httpx_mock), or let requests out "
            "with @pytest.mark.workflow(allow_network=True).",
            url=url,
            method=method,
        )

    @classmethod
    def of_connection(cls, target: str, *, is_local: bool, is_http: bool = False) -> NetworkRefusedError:
        """A connection that the Worker opens by other means than `workers.fetch`.

        Args:
            target: Where to, `example.com:443`.
            is_local: Whether that is this machine.
            is_http: Whether it is for a request of `http.client`, which mocks answer as well.
        """
        local = " That is this machine; a server of the test's own is reached with that marker as well." * is_local
        what_to_do = _ANSWER_THE_CLIENT if is_http else _SEND_BY_FETCH
        return cls(
            f"the Worker was about to open a connection to {target}",
            f"{what_to_do} let connections out with @pytest.mark.workflow(allow_network=True).{local}",
            url=target,
        )


class MissingNameError(UnprovidedError):
    """A name of `js`, `pyodide` or `workers` was used that the platform has and this plugin does not provide.

    What is raised is an AttributeError or an ImportError as well, as for any other name that is not there.

    Attributes:
        module: The module, `js`.
        missing: The name, `caches`.
    """

    _separator = ". "

    def __init__(self, module: str, name: str, known: str) -> None:
        super().__init__(f"pytest-workflows does not provide {module}.{name} yet", known, f"{module}.{name}")
        self.module = module
        self.missing = name

    @classmethod
    def of_attribute(cls, module: str, name: str, provided: Iterable[str]) -> MissingNameError:
        """A name that a module does not have."""
        here = f"{module} provides here: {', '.join(sorted(provided, key=str.lower))}."
        return _MissingAttribute(module, name, f"{here} {_how_to_give(module, name)}")

    def as_import(self, fullname: str, *, is_module: bool) -> MissingNameError:
        """The error as an import raises it.

        Args:
            fullname: The imported name, `js.caches`.
            is_module: Whether only a module can be meant.
        """
        known: str = self.args[1]
        if is_module:
            as_attribute, as_module = _how_to_give(self.module, self.missing), _how_to_give_module(fullname)
            known = known.replace(as_attribute, as_module)
        error = (_MissingModule if is_module else _MissingImport)(self.module, self.missing, known)
        error.name = fullname
        return error


class _MissingAttribute(MissingNameError, AttributeError):
    pass


class _MissingImport(MissingNameError, ImportError):
    pass


class _MissingModule(MissingNameError, ModuleNotFoundError):
    pass


for _class in (_MissingAttribute, _MissingImport, _MissingModule):
    _class.__name__ = _class.__qualname__ = MissingNameError.__name__


def _how_to_give(module: str, name: str) -> str:
    return (
        "Give the test a stand-in for it, before the Worker uses it:\n\n"
        "    @pytest.fixture(autouse=True)\n"
        f"    def {module.replace('.', '_')}_{name}(monkeypatch):\n"
        f'        monkeypatch.setattr("{module}.{name}", ..., raising=False)'
    )


def _how_to_give_module(fullname: str) -> str:
    return (
        "Give the test a module in its place, before the Worker imports it:\n\n"
        "    @pytest.fixture(autouse=True)\n"
        f"    def {fullname.replace('.', '_')}(monkeypatch):\n"
        f'        monkeypatch.setitem(sys.modules, "{fullname}", ...)'
    )
