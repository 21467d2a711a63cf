"""Durable Objects: the namespace of a class, and the stubs of its objects, as JavaScript has them.

Source: workerd 1.20261117.1, observed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from durable_engine import JsException, hide_frames
from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.javascript.objects import JsObject, JsPromise, js_error, js_text, option
from pytest_workflows.workers.entrypoints import WorkerEntrypoint, WorkflowEntrypoint

from .crossing import RpcClient, call_python, method_of, send
from .durable_ids import DurableObjectId, Ids
from .js_arguments import not_of_type
from .object_alarms import Alarm, AlarmInvocationInfo
from .object_sockets import ObjectSockets
from .object_store import ObjectStore
from .running_object import RunningObject

if TYPE_CHECKING:
    from pytest_workflows.javascript.request import Request
    from pytest_workflows.project.binding_config import BindingConfig

    from .host import Host

hide_frames(__file__)

_NAMESPACE: Final = "DurableObjectNamespace"
_NO_JURISDICTIONS: Final = "Jurisdiction restrictions are not implemented in workerd."


def make(config: BindingConfig, host: Host) -> DurableObjectNamespace:
    """Make the stand-in of a binding.

    Args:
        config: The binding, of `durable_objects.bindings`.
        host: The test.

    Raises:
        WorkflowConfigError: If the Worker has no such class, or it is an entrypoint.
    """
    name = str(config.settings.get("class_name"))
    made = host.export(name)
    if made is None:
        raise WorkflowConfigError(
            f"{config.path}:{config.line}: the binding {config.name} names the class {name!r} of Durable Objects, and "
            f"{host.words('the main module')} has no such class. Define it there, or import it."
        )
    if issubclass(made, WorkerEntrypoint | WorkflowEntrypoint):
        raise WorkflowConfigError(
            f"{config.path}:{config.line}: the binding {config.name} names the class {name!r} of Durable Objects, and "
            "that class is an entrypoint. Derive it from DurableObject, or name another one."
        )
    return namespace_of(made, name, host)


def namespace_of(made: type, name: str, host: Host) -> DurableObjectNamespace:
    """The namespace of a class.

    Args:
        made: The class.
        name: Its name.
        host: The test.
    """
    store = host.stores.get("durable_objects", host.qualified(name), ObjectStore)
    store.made = made  # also for what stands on an older version of it: stubs, alarms
    settings = {} if host.config is None else host.config.settings
    is_sqlite = not declares(name, settings) or has_sqlite(name, settings)
    return DurableObjectNamespace(ObjectClass(made, name, host, store, is_sqlite=is_sqlite))


def declares(name: str, settings: Mapping[str, Any]) -> bool:
    """Whether the configuration has a class of Durable Objects.

    Args:
        name: The class.
        settings: The configuration.
    """
    exported = _exported(name, settings)
    if exported is not None and exported.get("type") == "durable-object":
        return True
    bound = (settings.get("durable_objects") or {}).get("bindings") or ()
    if any(one.get("class_name") == name for one in bound):
        return True
    return any(
        name in (one.get("new_sqlite_classes") or ()) or name in (one.get("new_classes") or ())
        for one in _migrations(settings)
    )


def has_sqlite(name: str, settings: Mapping[str, Any]) -> bool:
    """Whether a class's objects have a database, by the migrations or the exports of the configuration.

    Args:
        name: The class.
        settings: The configuration.
    """
    exported = _exported(name, settings)
    if exported is not None:
        return exported.get("storage") == "sqlite"
    with_database: set[str] = set()
    for one in _migrations(settings):
        with_database |= set(one.get("new_sqlite_classes") or ())
        for renamed in one.get("renamed_classes") or ():
            if renamed.get("from") in with_database:
                with_database.add(renamed.get("to"))
    return name in with_database


def _exported(name: str, settings: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found = (settings.get("exports") or {}).get(name)
    return found if isinstance(found, Mapping) else None


def _migrations(settings: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = settings.get("migrations")
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


class ObjectClass:
    """A class of Durable Objects in one test.

    Args:
        made: The class.
        name: Its name.
        host: The test.
        store: What its objects have stored.
        is_sqlite: Whether its objects have a database.
    """

    def __init__(self, made: type, name: str, host: Host, store: ObjectStore, *, is_sqlite: bool) -> None:
        self._made = made
        self.name = name
        self.host = host
        self.store = store
        self.is_sqlite = is_sqlite
        settings = {} if host.config is None else host.config.settings
        self.ids = Ids(str(settings.get("name") or "worker"), name)
        if store.open_database is None:
            self._open_store()

    def _open_store(self) -> None:
        from .sqlite import SqliteDatabase

        host = self.host

        def open_database(file: bytes | None, path: Path | None = None, /) -> SqliteDatabase:
            # There may be many files: to synchronise each that is new takes tens of milliseconds.
            return SqliteDatabase(host.now_ms, lambda: host.random, file, path, synchronous="off")

        self.store.open_database = open_database
        for digits in self.store.with_alarms():  # those of a seed, or of a former process
            self.alarm(DurableObjectId(digits, self.store.names.get(digits))).changed()

    def running(self, id: DurableObjectId) -> RunningObject:
        """An object, made anew where it is not in memory.

        Args:
            id: Its id, with the name that the caller knows.
        """
        found = self.store.running.get(id._digits)
        if found is None:
            if id.name is not None:
                self.store.names[id._digits] = id.name
            found = self.store.running[id._digits] = RunningObject(self, id)
        return found

    def alarm(self, id: DurableObjectId) -> Alarm:
        """An object's alarm."""
        found = self.store.alarms.get(id._digits)
        if found is None:

            async def handle(info: AlarmInvocationInfo) -> bool:
                return await self.running(id).handle_alarm(info)

            what = f"The alarm of {self.what(id)}"
            found = self.store.alarms[id._digits] = Alarm(self.store.data(id._digits), self.host, handle, what)
        return found

    def sockets(self, id: DurableObjectId) -> ObjectSockets:
        """An object's WebSockets."""
        found = self.store.sockets.get(id._digits)
        if found is None:
            found = self.store.sockets[id._digits] = ObjectSockets(self.host, self.what(id), lambda: self.running(id))
        return found

    def what(self, id: DurableObjectId) -> str:
        """The words for an object, in reports."""
        return f"Durable Object {id.name or id._digits[:8] + '…'} of {self.host.words(self.name)}"

    def make(self, state: Any) -> Any:
        """Make the object of a `ctx`."""
        return (self.store.made or self._made)(state, self.host.env())

    def forget(self, running: RunningObject) -> None:
        """Drop an object from memory; its next call makes it anew."""
        if self.store.running.get(running.id._digits) is running:
            del self.store.running[running.id._digits]


class DurableObjectNamespace(JsObject):
    """A class of Durable Objects, as a binding.

    Args:
        object_class: The class.
    """

    def __init__(self, object_class: ObjectClass) -> None:
        self._class = object_class

    def idFromName(self, *name: Any) -> DurableObjectId:
        """The id of a name: always the same."""
        if not name:
            raise not_of_type("idFromName", _NAMESPACE, 1, "string")
        return self._class.ids.of_name(js_text(name[0]))

    def idFromString(self, *text: Any) -> DurableObjectId:
        """The id that a text of 64 hexadecimal digits is."""
        if not text:
            raise not_of_type("idFromString", _NAMESPACE, 1, "string")
        return self._class.ids.of_text(js_text(text[0]))

    def newUniqueId(self, options: Any = None) -> DurableObjectId:
        """A new id."""
        if option(options, "jurisdiction") is not None:
            raise js_error("Error", _NO_JURISDICTIONS)
        return self._class.ids.unique(self._class.host.random)

    def get(self, id: Any = None, options: Any = None) -> DurableObject:
        """The stub of an object. Nothing is made before its first call."""
        if not isinstance(id, DurableObjectId):
            raise not_of_type("get", _NAMESPACE, 1, "DurableObjectId")
        return DurableObject(self._class, id)

    def getByName(self, *name: Any) -> DurableObject:
        """The stub of the object of a name."""
        if not name:
            raise not_of_type("getByName", _NAMESPACE, 1, "string")
        return DurableObject(self._class, self._class.ids.of_name(js_text(name[0])))

    def jurisdiction(self, name: Any = None) -> DurableObjectNamespace:
        """Refused, as the local runtime does."""
        raise js_error("Error", _NO_JURISDICTIONS)


class DurableObject(RpcClient):
    """The stub of a Durable Object.

    Args:
        object_class: The class.
        id: The object's id.
    """

    def __init__(self, object_class: ObjectClass, id: DurableObjectId) -> None:
        self._class = object_class
        self._id = id

    @property
    def id(self) -> DurableObjectId:
        """The object's id."""
        return self._id

    @property
    def name(self) -> str | None:
        """The name that the id was made of; undefined where it is not known."""
        return self._id.name

    def fetch(self, *args: Any) -> JsPromise:
        """Send a request to the object's fetch handler."""
        from .fetching import call_fetch, fetch

        host = self._class.host

        async def answer(request: Request) -> Any:
            return await self._running().deliver(lambda instance: call_fetch(host, instance, request))

        return fetch(host, answer, args, f"The fetch handler of {self._what()}", explain=self._explain)

    def _call(self, name: str, args: tuple[Any, ...]) -> JsPromise:
        async def receive(given: list[Any]) -> Any:
            return await self._running().deliver(
                lambda instance: call_python(self._class.host, method_of(instance, name), given)
            )

        what = f"Method {name} of {self._what()}"
        return send(self._class.host, receive, args, what, explain=self._explain)

    def _running(self) -> RunningObject:
        return self._class.running(self._id)

    def _what(self) -> str:
        return self._class.what(self._id)

    def _explain(self, error: JsException) -> None:
        error.durableObjectId = self._id._digits  # type: ignore[attr-defined]


__all__ = ["DurableObject", "DurableObjectNamespace", "ObjectClass", "make", "namespace_of"]
