"""Rate limits, Analytics Engine, version metadata, Hyperdrive, Images and variables, as the Worker sees them."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from calls import error_of, get
from facts import fact
from plain_host import PlainHost

from durable_engine import JsException, jsnull
from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.javascript.buffers import Uint8Array
from pytest_workflows.javascript.objects import JsArray, JsPlain, JsPromise
from pytest_workflows.javascript.streams import ReadableStream
from pytest_workflows.project.binding_config import BindingConfig
from pytest_workflows.standins.registry import is_provided
from pytest_workflows.standins.variables import variable

# -- rate limits -------------------------------------------------------------------------------------------------------


def limiter(host: PlainHost, name: str = "RL", **settings: Any) -> Any:
    return host.binding("ratelimits", name, **{"simple": {"limit": 2, "period": 60}, "namespace_id": "1", **settings})


@fact(
    "other-bindings",
    "Rate limits count within fixed periods of the clock",
    why="production counts per place and is not exact; the local runtime is as here",
)
def test_a_rate_limit_counts_each_key_within_a_period_of_the_clock(host: PlainHost) -> None:
    limit = limiter(host).limit

    assert [get(limit({"key": "k"})).success for _ in range(3)] == [True, True, False]
    assert get(limit(key="z")) == {"success": True}
    host.advance(60)
    assert get(limit({"key": "k"})).success is True


@pytest.mark.parametrize(("period", "left"), [(10, 10), (60, 20)])
def test_a_rate_limit_counts_anew_when_its_own_period_of_the_clock_is_over(
    host: PlainHost, period: int, left: int
) -> None:
    limit = limiter(host, simple={"limit": 1, "period": period}).limit
    assert host.now_ms() // 1000 % period == (period - left) % period

    answers = []
    for seconds in (0, left - 1, 1, period - 1, 1):
        host.advance(seconds)
        answers.append(get(limit({"key": "k"})).success)

    assert answers == [True, False, True, False, True]


def test_rate_limits_of_one_namespace_count_together(host: PlainHost) -> None:
    first, second, other = limiter(host, "A"), limiter(host, "B"), limiter(host, "C", namespace_id="2")
    for binding in (first, second):
        get(binding.limit({"key": "k"}))

    assert [get(binding.limit({"key": "k"})).success for binding in (first, second, other)] == [False, False, True]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "invalid rate limit options"),
        ((None,), "invalid rate limit options"),
        (("k",), "invalid rate limit options"),
        (({"key": 5},), "invalid key: 5"),
        (({"key": None},), "invalid key: null"),
        (({"key": "q", "nope": 1, "no": 2},), "bad rate limit options: [nope,no]"),
        ((["q"],), "bad rate limit options: [0]"),
        (({"limit": "x"},), "limit must be a number: x"),
        (({"limit": 2**60},), f"limit must be a number: {2**60}"),
        (({"period": 30},), "unsupported period: 30"),
    ],
)
def test_options_of_a_rate_limit_that_cannot_be_are_refused(host: PlainHost, arguments: Any, text: str) -> None:
    assert error_of(limiter(host).limit(*arguments)) == f"Error: {text}"


def test_a_key_of_a_rate_limit_may_be_left_out(host: PlainHost) -> None:
    assert get(limiter(host).limit({})).success is True


@pytest.mark.parametrize(
    ("simple", "text"),
    [
        (None, 'has no "simple"'),
        ({"period": 60}, 'has no "simple": {"limit": ..., "period": ...}. Write how many calls a period may have.'),
        ({"limit": 1, "period": 30}, "has the period 30. The platform has 10 and 60 (seconds)."),
    ],
)
def test_an_entry_that_is_no_rate_limit_is_a_configuration_error(host: PlainHost, simple: Any, text: str) -> None:
    with pytest.raises(WorkflowConfigError) as caught:
        limiter(host, simple=simple)

    assert str(caught.value).startswith("wrangler.jsonc:1: the rate limit 'RL' ")
    assert text in str(caught.value)


def test_a_rate_limit_may_stand_among_the_unsafe_bindings(host: PlainHost) -> None:
    settings = {"type": "ratelimit", "namespace_id": "1", "simple": {"limit": 1, "period": 10}}

    assert get(host.binding("unsafe.bindings", "RL", **settings).limit({"key": "k"})).success is True


# -- Analytics Engine --------------------------------------------------------------------------------------------------


def test_every_data_point_is_taken(host: PlainHost) -> None:
    dataset = host.binding("analytics_engine_datasets", "AE", dataset="clicks")

    assert dataset.writeDataPoint({"indexes": ["i"], "blobs": ["b", None], "doubles": [1, 2.5]}) is None
    assert dataset.writeDataPoint(blobs=["b"]) is None
    assert dataset.writeDataPoint() is dataset.writeDataPoint({}) is dataset.writeDataPoint(None) is None
    assert host.findings == []


@pytest.mark.parametrize(
    ("point", "text"),
    [
        ({"indexes": ["a", "b"]}, "has 2 indexes, and a data point up to 1"),
        ({"blobs": ["x"] * 21}, "has 21 blobs, and a data point up to 20"),
        ({"doubles": [1] * 21}, "has 21 doubles, and a data point up to 20"),
        ({"indexes": ["x" * 97]}, "has an index of more than 96 bytes"),
        ({"blobs": ["x" * 16385]}, "has more than 16384 bytes of blobs"),
        ({"doubles": ["x"]}, "has the double 'x', which is no number"),
    ],
)
@fact("other-bindings", "Data points beyond the documented limits are taken locally; a finding says so")
def test_a_data_point_beyond_the_documented_limits_is_a_finding(host: PlainHost, point: Any, text: str) -> None:
    host.binding("analytics_engine_datasets", "AE").writeDataPoint(point)

    assert host.findings == [
        (
            "documented-limit",
            f"env.AE.writeDataPoint(...) {text}",
        )
    ]


# -- version metadata, Hyperdrive, Images ------------------------------------------------------------------------------


@fact(
    "other-bindings",
    "The version has an id, a tag and a timestamp",
    why="there is no deployment: the id comes from the seed, the time is the test's",
)
def test_the_version_has_an_id_of_the_seed_and_the_time_of_the_test(host: PlainHost) -> None:
    version, again = host.binding("version_metadata"), PlainHost().binding("version_metadata")

    assert uuid.UUID(version.id).version == 4
    assert (version.id, version.tag, version.timestamp) == (again.id, "", "2026-05-28T20:26:40.000Z")
    with pytest.raises(TypeError):
        version["id"]


@fact(
    "other-bindings",
    "Hyperdrive pools connections and caches queries",
    why="it is the address of localConnectionString, and the driver connects by itself",
)
def test_hyperdrive_is_where_the_configuration_says(host: PlainHost) -> None:
    url = "postgres://me:a%40b@127.0.0.1/orders"
    database = host.binding("hyperdrive", localConnectionString=url)

    assert database.connectionString == url
    assert (database.host, database.port, database.user, database.password, database.database) == (
        "127.0.0.1",
        5432,
        "me",
        "a@b",
        "orders",
    )


def test_hyperdrive_is_not_provided_without_a_local_database(host: PlainHost) -> None:
    from pathlib import Path

    assert not is_provided(BindingConfig("DB", "hyperdrive", {"id": "1"}, Path("wrangler.jsonc")))


@pytest.mark.parametrize("image", [b"png", ReadableStream._of_bytes(b"png"), Uint8Array(b"png")])
@fact(
    "other-bindings",
    "Images transforms",
    why="no pixel is computed: the bytes come out as they went in, in the type that is asked for",
)
def test_an_image_comes_out_as_it_went_in_in_the_type_that_is_asked_for(host: PlainHost, image: Any) -> None:
    async def run() -> Any:
        pipeline = host.binding("images").input(image).transform({"width": 1}).draw(b"logo")
        output = await pipeline.output({"format": "image/webp"})
        assert output.contentType() == "image/webp"
        assert output.image()._drain() == b"png"
        return output._binding.response()

    response = asyncio.run(run())

    assert response.headers.get("content-type") == "image/webp"
    assert bytes(get(response.arrayBuffer()).to_py()) == b"png"


def test_an_image_that_a_stream_gives_piece_by_piece_comes_out_whole(host: PlainHost) -> None:
    pieces = [b"p", b"ng"]

    async def pull() -> None:
        await asyncio.sleep(0)
        if pieces:
            stream._put(Uint8Array(pieces.pop(0)))
        else:
            stream._end()

    async def run() -> Any:
        output = await host.binding("images").input(stream).output({"format": "image/png"})
        return output.image()._drain()

    stream = ReadableStream._made(lambda: JsPromise.running(pull()), is_bytes=True)

    assert get(run()) == b"png"


def test_an_unknown_format_and_what_is_no_image_are_refused(host: PlainHost) -> None:
    images = host.binding("images")

    async def output() -> None:
        await images.input(b"png").output({})

    assert error_of(output()).startswith("Error: unsupported output format: undefined. There are: image/jpeg, ")
    with pytest.raises(JsException, match="The input of images must be a ReadableStream or bytes"):
        images.input("png")


# -- variables ---------------------------------------------------------------------------------------------------------


@fact("other-bindings", "Objects and arrays among the variables stay JavaScript's")
def test_objects_and_arrays_of_the_configuration_stay_javascripts() -> None:
    value = variable({"a": [1, None, {"b": True}], "n": 1.0})

    assert isinstance(value, JsPlain)
    assert (value.a[1], value.a[2].b, value.n, type(value.n)) == (jsnull, True, 1, int)
    assert isinstance(value.a, JsArray)
    assert value.to_py() == {"a": [1, jsnull, {"b": True}], "n": 1}
    for use in (lambda: value["a"], lambda: "a" in value, lambda: len(value), lambda: dict(value)):
        with pytest.raises(TypeError):
            use()


def test_texts_numbers_and_booleans_are_pythons_and_null_is_jsnull() -> None:
    assert [variable(value) for value in ("t", 3, 1.5, True, 2**60)] == ["t", 3, 1.5, True, float(2**60)]
    assert variable(None) is jsnull
