"""What the bindings hold: keys, objects, rows, messages, a page of each at a time."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from pytest_workflows.control_plane.answers import Envelope
from pytest_workflows.control_plane.errors import BAD_REQUEST, NOT_FOUND, ApiError
from pytest_workflows.control_plane.json_answers import answer_with
from pytest_workflows.control_plane.routes import failures
from pytest_workflows.standins.stores import Listed

from .asking import PageAsker
from .models import StoreModel, StorePage

_MOST_ROWS = 500


def stores_router(asker: PageAsker) -> APIRouter:
    """The endpoints of the stores.

    Args:
        asker: Asks whose bindings.
    """
    router = APIRouter(responses=failures(404))
    env = asker.served.env

    def listed() -> list[Listed]:
        env.make_stores()
        return env.host.stores.listing()

    @router.get("/stores", operation_id="page_stores")
    async def all_stores() -> Envelope[list[StoreModel]]:
        """The stores that there are."""

        def look() -> list[StoreModel]:
            return [
                StoreModel(kind=one.kind, id=one.id, names=list(one.names), tables=one.store.tables())
                for one in listed()
            ]

        return Envelope(result=await asker.read(look))

    @router.get("/store", operation_id="page_store", response_model=Envelope[StorePage])
    async def page(
        kind: str,
        id: str,
        table: str,
        after: str | None = None,
        limit: Annotated[int, Query(ge=1, le=_MOST_ROWS)] = 100,
    ) -> Response:
        """A page of what a store holds."""

        def look() -> StorePage:
            found = next((one for one in listed() if (one.kind, one.id) == (kind, id)), None)
            if found is None:
                raise ApiError(404, NOT_FOUND, f"There is no store {id!r} of kind {kind!r}.")
            if table not in found.store.tables():
                names = ", ".join(found.store.tables()) or "none"
                raise ApiError(404, NOT_FOUND, f"The store {id!r} has no table {table!r}. It has: {names}.")
            try:
                seen = found.store.peek(table, after, limit)
            except ValueError as error:
                raise ApiError(400, BAD_REQUEST, f"{after!r} is of no page: {error}.") from None
            return StorePage(columns=seen.columns, rows=seen.rows, next=seen.next)

        return answer_with(Envelope(result=await asker.read(look)))

    return router
