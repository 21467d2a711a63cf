"""What the bindings hold: keys, objects, rows, messages, a page of each at a time."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from pytest_workflows.control_plane.errors import NOT_FOUND, ApiError
from pytest_workflows.control_plane.served import Served
from pytest_workflows.standins.stores import Stores

from .asking import ask
from .models import Answer, StoreModel, StorePage
from .store_views import page_of, tables_of

_MOST_ROWS = 500


def stores_router(served: Served) -> APIRouter:
    """The endpoints of the stores.

    Args:
        served: Whose bindings.
    """
    router = APIRouter()

    def stores() -> Stores:
        served.env.make_stores()
        return served.env.host.stores

    @router.get("/stores", operation_id="page_stores")
    async def listed() -> Answer[list[StoreModel]]:
        """The stores that there are."""

        async def look() -> list[StoreModel]:
            there, now = stores(), served.engine.clock.now_ms
            return [
                StoreModel(kind=kind, id=id, bindings=there.names_of(kind, id), tables=tables_of(store, now))
                for (kind, id), store in there.items()
            ]

        return Answer(result=await ask(served, look))

    @router.get("/store", operation_id="page_store")
    async def page(
        kind: str,
        id: str,
        table: str = "",
        after: Annotated[int, Query(ge=0, le=2**53)] = 0,
        search: Annotated[str, Query(max_length=500)] = "",
        limit: Annotated[int, Query(ge=1, le=_MOST_ROWS)] = 100,
    ) -> Answer[StorePage]:
        """A page of what a store holds."""

        async def look() -> StorePage | None:
            found = dict(stores().items()).get((kind, id))
            now = served.engine.clock.now_ms
            return None if found is None else page_of(found, table, search, after, limit, now)

        found = await ask(served, look)
        if found is None:
            raise ApiError(404, NOT_FOUND, f"There is no store {id!r} of kind {kind!r}, or no table {table!r} in it.")
        return Answer(result=found)

    return router
