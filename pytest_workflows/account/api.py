"""The account: its workflows, their instances page by page, and one instance with all of its outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pytest_workflows.messages.short_repr import shown

from .errors import AccountError, InstanceGoneError
from .requests import Json, Requests, StatusError

IN_FLIGHT = ("queued", "running", "waiting", "paused", "waitingForPause", "rollingBack")
"""The statuses of instances that have not ended, as the API (client 5.9.0) has them."""
_PER_PAGE = 100
_MOST_NAMES = 10


class Account:
    """An account of the platform.

    Args:
        requests: Asks the API.
        id: The account's id; None for the only one that the token has.

    Raises:
        AccountError: If no account is named and the token has not just one.
    """

    def __init__(self, requests: Requests, id: str | None) -> None:
        self._requests = requests
        self._client = requests.client
        self.id = id or self._only_account()

    def instances(self, workflow: str, status: str | None = None) -> Iterator[Mapping[str, Json]]:
        """The instances of a workflow, the newest first, without their steps.

        Args:
            workflow: The workflow's own name.
            status: Only those that have it.

        Raises:
            AccountError: If the workflow does not exist, or the API cannot be asked.
        """
        query = {} if status is None else {"status": status}
        seen: set[str] = set()
        for page in self._pages(workflow, query):
            new = [one for one in page if one["id"] not in seen]
            seen.update(one["id"] for one in new)
            yield from (one for one in new if status is None or one.get("status") == status)
            if not new:
                return  # instances are made meanwhile, and move others to the next page; but some must be new

    def latest(self, workflow: str) -> str:
        """The id of the newest instance.

        Raises:
            AccountError: If there is none.
        """
        page = next(self._pages(workflow, {}), [])
        if not page:
            raise AccountError(
                f"the workflow {workflow!r} has no instances.",
                f"Make one (npx wrangler workflows trigger {workflow}), or wait until there are some.",
            )
        newest: str = max(page, key=lambda one: str(one.get("created_on", "")))["id"]
        return newest

    def instance(self, workflow: str, id: str) -> Mapping[str, Json]:
        """An instance with its steps, in the API's envelope.

        Raises:
            InstanceGoneError: If there is none of that id.
            AccountError: If the workflow does not exist, or the API cannot be asked.
        """
        get = self._client.workflows.instances.with_raw_response.get
        what = f"the instance {id!r} of {workflow!r}"
        try:
            return self._requests.ask_json(lambda: get(id, account_id=self.id, workflow_name=workflow), what)
        except StatusError as error:
            if not error.is_not_found:
                raise self._refused(what, error) from None
            self._check_workflow(workflow)
            raise InstanceGoneError(
                f"the workflow {workflow!r} has no instance {id!r}, or has it no more.",
                "The platform keeps an instance that has ended for its retention: 30 days at most, 3 on the free plan. "
                f"Which there are: npx wrangler workflows instances list {workflow}",
            ) from None

    def step_output(self, workflow: str, id: str, name: str, *, is_wait: bool) -> Json:
        """The whole output of a step, or the payload of the event that a wait took; bytes where it is a stream.

        Args:
            workflow: The workflow's own name.
            id: The instance.
            name: The step, as the instance's steps have it: with its occurrence.
            is_wait: Whether it waits for an event.

        Raises:
            StatusError: If there is none.
            AccountError: If the API cannot be asked.
        """
        get = self._client.workflows.instances.with_raw_response.step
        body, headers = self._requests.ask(
            lambda: get(
                id,
                account_id=self.id,
                workflow_name=workflow,
                name=name,
                type="waitForEvent" if is_wait else "step",
            )
        )
        if headers.get("content-type", "").startswith("application/octet-stream"):
            return body
        found = self._requests.decode(body, f"step {name!r} of {id!r}")
        status = found.get("result", found) if isinstance(found, Mapping) else None
        if not isinstance(status, Mapping) or "output" not in status:
            raise StatusError(200, f"it has no output: {shown(found)}")
        return status["output"]

    def _pages(self, workflow: str, query: Mapping[str, str]) -> Iterator[list[Mapping[str, Json]]]:
        """The pages of a list of instances, by the API's cursor, or by numbers where it gives none."""
        position: dict[str, Any] = {}
        number = 1
        while True:
            answer = self._page(workflow, {**query, **position})
            rows = answer["result"]
            if not isinstance(rows, list) or not all(isinstance(one, Mapping) and _has_id(one) for one in rows):
                raise AccountError(
                    f"the API's list of instances of {workflow!r} is {shown(rows)}, and not one of objects with an id.",
                    "Is CLOUDFLARE_API_BASE_URL the platform's API?",
                )
            if not rows:
                return
            yield rows
            info = answer.get("result_info")
            cursor = info.get("cursor") if isinstance(info, Mapping) else None
            if cursor and cursor != position.get("cursor"):
                position = {"cursor": cursor}
            elif "cursor" in position or _is_last(info, number, len(rows)):
                return
            else:
                number += 1
                position = {"page": number}

    def _page(self, workflow: str, query: Mapping[str, Any]) -> Mapping[str, Json]:
        listed = self._client.workflows.instances.with_raw_response.list
        what = f"the instances of {workflow!r}"
        try:
            return self._requests.ask_json(
                lambda: listed(workflow, account_id=self.id, per_page=_PER_PAGE, direction="desc", **query), what
            )
        except StatusError as error:
            if error.is_not_found:
                self._check_workflow(workflow)
            raise self._refused(what, error) from None

    # -- what there is -----------------------------------------------------------------------------------------------

    def _check_workflow(self, workflow: str) -> None:
        """Check that the account has a workflow.

        Raises:
            AccountError: If it has not.
        """
        get = self._client.workflows.with_raw_response.get
        what = f"the workflow {workflow!r}"
        try:
            self._requests.ask_json(lambda: get(workflow, account_id=self.id), what)
        except StatusError as error:
            if not error.is_not_found:
                raise self._refused(what, error) from None
        else:
            return
        names = self._workflows()
        close = get_close_matches(workflow, names)
        listed = ", ".join([*names[:_MOST_NAMES], *(["..."] if len(names) > _MOST_NAMES else [])])
        raise AccountError(
            f"the account has no workflow {workflow!r}.",
            f"Did you mean {close[0]}?" if close else f"It has: {listed or 'none'}. Is {self.id} the right account?",
        )

    def _workflows(self) -> list[str]:
        names: list[str] = []
        number = 1
        while True:
            answer = self._page_of_workflows(number)
            rows = answer["result"] if isinstance(answer["result"], list) else []
            new = [str(row.get("name")) for row in rows if isinstance(row, Mapping)]
            if not set(new) - set(names):
                return names
            names += new
            if _is_last(answer.get("result_info"), number, len(rows)):
                return names
            number += 1

    def _page_of_workflows(self, number: int) -> Mapping[str, Json]:
        listed = self._client.workflows.with_raw_response.list
        what = "the workflows of the account"
        try:
            return self._requests.ask_json(lambda: listed(account_id=self.id, per_page=_PER_PAGE, page=number), what)
        except StatusError as error:
            raise self._refused(what, error) from None

    def _only_account(self) -> str:
        listed = self._client.accounts.with_raw_response.list
        what = "the accounts of the token"
        try:
            rows = self._requests.ask_json(lambda: listed(per_page=5), what)["result"]
        except StatusError as error:
            raise self._refused(what, error) from None
        ids = [str(row["id"]) for row in rows if isinstance(row, Mapping) and _has_id(row)] if rows else []
        if len(ids) == 1:
            return ids[0]
        raise AccountError(
            f"the token has {'several accounts' if ids else 'no account that it may list'}.",
            "Name the account: set CLOUDFLARE_ACCOUNT_ID, or account_id in the wrangler configuration.",
        )

    def _refused(self, what: str, error: StatusError) -> AccountError:
        return AccountError(
            f"asked for {what}, the API answered: {error}.",
            "Does CLOUDFLARE_ACCOUNT_ID or account_id name the right account, "
            f"and is {self._requests.api} the platform's API?",
        )


def _has_id(row: Mapping[str, Json]) -> bool:
    return isinstance(row.get("id"), str)


def _is_last(info: object, number: int, rows: int) -> bool:
    """Whether a page is the last one, by what the API says of all of them; otherwise an empty one is."""
    known = info if isinstance(info, Mapping) else {}
    pages, total, size = (known.get(name) for name in ("total_pages", "total_count", "per_page"))
    if isinstance(pages, int):
        return number >= pages
    if isinstance(total, int) and isinstance(size, int) and size > 0:
        return number * size >= total
    return isinstance(size, int) and rows < size
