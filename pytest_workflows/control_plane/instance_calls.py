"""The calls that the API makes on instances. All of them run on the loop of what is served."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from durable_engine import Execution, InvalidArgumentError, JsException, to_ms

from .bodies import CreateBody, FromBody, LocalFilters, RetentionBody
from .directory import Directory, Listed, api_status
from .errors import BAD_REQUEST, CANNOT_SEND_EVENT, INSTANCE_NOT_FOUND, ApiError, of_engine
from .json_values import as_javascript, read_json

if TYPE_CHECKING:
    from durable_engine import InstanceHandle

    from .served import Served

_MOST_IN_BATCH: Final = 100


class InstanceCalls:
    """The calls on instances.

    Args:
        served: What is served.
        directory: Its workflows.
    """

    def __init__(self, served: Served, directory: Directory) -> None:
        self._served = served
        self._directory = directory

    def find(self, listed: Listed, id: str) -> Execution:
        """An instance.

        Raises:
            ApiError: If there is none.
        """
        workflow = listed.binding.workflow
        found = self._served.engine.find(workflow, id) if self._served.engine.exists(workflow, id) else None
        if found is None:
            raise ApiError(
                404, INSTANCE_NOT_FOUND, f"The workflow {listed.name!r} has no instance {id!r}, or has it no more."
            )
        return found

    def filtered(self, listed: Listed, filters: LocalFilters) -> list[Execution]:
        """The instances that filters let through, in the order of their creation.

        Raises:
            ApiError: If they let none through, whatever there is.
        """
        start = None if filters.date_start is None else to_ms(filters.date_start)
        end = None if filters.date_end is None else to_ms(filters.date_end)
        if start is not None and end is not None and start > end:
            raise ApiError(400, BAD_REQUEST, "`date_start` is after `date_end`: exchange them.")
        return [
            one
            for one in self._directory.instances(listed)
            if (start is None or one.row.created_at >= start)
            and (end is None or one.row.created_at <= end)
            and (filters.status is None or api_status(one) == filters.status)
        ]

    async def create(self, listed: Listed, body: CreateBody) -> Execution:
        """Create an instance.

        Raises:
            ApiError: If the params are no JSON, or the engine refuses it.
        """
        with _Answering():
            handle = await listed.binding.create(_options(body))
        return self._created(listed, handle.id)

    async def create_all(self, listed: Listed, bodies: Sequence[CreateBody]) -> list[Execution]:
        """Create instances; ids that exist are left out.

        Raises:
            ApiError: If anything of them is not as it must be: nothing is created then.
        """
        with _Answering():
            created: Any = await listed.binding.createBatch([_options(one) for one in bodies])
        return [self._created(listed, handle.id) for handle in created]

    def _created(self, listed: Listed, id: str) -> Execution:
        self._served.engine.lifecycle.note_source(listed.binding.workflow, id, "api")
        return self.find(listed, id)

    async def send_event(self, listed: Listed, id: str, event_type: str, payload: Any) -> None:
        """Send an event.

        Raises:
            ApiError: If there is no such instance, it has ended, or the payload is too large or no JSON.
        """
        instance = self.find(listed, id)
        if instance.finished:
            raise ApiError(
                400,
                CANNOT_SEND_EVENT,
                f"The instance {id!r} has ended ({instance.status}), and takes no event any more. Restart it, or "
                "create another one.",
            )
        is_text = isinstance(payload, bytes)  # of a request that does not say that it is JSON, as curl sends it
        value = read_json(payload, "the payload") if is_text else as_javascript(payload, "the payload")
        with _Answering():
            handle = await listed.binding.get(id)
            await handle.send_event({"type": event_type, "payload": value})

    async def change(
        self, listed: Listed, id: str, status: str, *, point: FromBody | None = None, rollback: bool | None = None
    ) -> Execution:
        """Pause, resume, terminate or restart an instance.

        Args:
            listed: Its workflow.
            id: Its id.
            status: Which of them.
            point: The step from which it runs again.
            rollback: Whether what it did is undone.

        Raises:
            ApiError: If there is no such instance, or that cannot be done with it.
        """
        self.find(listed, id)
        with _Answering():
            handle: InstanceHandle = await listed.binding.get(id)
            if status == "restart":
                await handle.restart(None if point is None else {"from": point.model_dump(exclude_none=True)})
            elif status == "terminate":
                await handle.terminate(None if rollback is None else {"rollback": rollback})
            else:
                await getattr(handle, status)()
        return self.find(listed, id)

    async def delete(self, listed: Listed, id: str) -> None:
        """Delete an instance.

        Raises:
            ApiError: If there is none.
        """
        self.find(listed, id)
        with _Answering():
            await (await listed.binding.get(id)).delete()

    def delete_all(self, listed: Listed) -> None:
        """Delete every instance of a workflow."""
        ids = [one.id for one in self._directory.instances(listed)]
        self._served.engine.discard(listed.binding.workflow, ids)

    async def delete_some(self, listed: Listed, ids: Sequence[str]) -> dict[str, Any]:
        """Delete instances; says of each what became of it.

        Raises:
            ApiError: If one of them is no id.
        """
        with _Answering():
            return dict(await listed.binding.deleteBatch(list(ids)))


class _Answering:
    """A block in which the engine's errors become answers."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, JsException):
            raise of_engine(error) from None
        if isinstance(error, InvalidArgumentError):
            raise ApiError(400, BAD_REQUEST, str(error)) from None


def _options(body: CreateBody) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if body.has_params:
        params = body.params
        is_text = isinstance(params, str)
        options["params"] = read_json(params, "params") if is_text else as_javascript(params, "params")
    if body.instance_id is not None:
        options["id"] = body.instance_id
    if body.instance_retention is not None:
        options["retention"] = _retention(body.instance_retention)
    return options


def _retention(body: RetentionBody) -> dict[str, Any]:
    named = {"successRetention": body.success_retention, "errorRetention": body.error_retention}
    return {name: value for name, value in named.items() if value is not None}
