"""`createBatch` with its object forms, and `create_batch`, which is for lists."""

import pytest

from durable_engine import Engine, JsException, Limits


async def echo(event, step):
    return event.payload


@pytest.fixture
async def engine():
    async with Engine(now="2026-01-01T00:00:00Z") as engine:
        yield engine


async def test_a_count_makes_so_many_with_ids_of_their_own(engine):
    binding = engine.bind("W", echo)

    answer = await binding.createBatch(count=2.0, params={"n": 1}, retention={"successRetention": 5})
    await engine.settle()

    first, second = answer["created"]
    assert (answer.errors, first.id != second.id) == ([], True)
    assert [(await handle.status())["output"] for handle in answer.created] == [{"n": 1}, {"n": 1}]
    await engine.advance(5)
    assert engine.instances == []


async def test_the_answer_tells_of_each_place_that_was_not_created(engine):
    binding = engine.bind("W", echo)
    await binding.create({"id": "a"})

    answer = await binding.createBatch({"instances": [{"id": "a"}, {"id": "a"}, {"id": "b", "params": 1}, {}]})

    assert [(error["index"], error["code"]) for error in answer.errors] == [(0, 10405), (1, 10415)]
    assert answer.created[0].id == "b"
    assert len(engine.instances) == 3


@pytest.mark.parametrize("options", [{"count": 2}, {"instances": [{}, {}]}])
async def test_the_snake_case_name_creates_them_and_then_fails(engine, options):
    binding = engine.bind("W", echo)

    with pytest.raises(TypeError, match=r"^'pyodide.ffi.JsProxy' object is not iterable") as caught:
        await binding.create_batch(options)

    assert len(engine.instances) == 2
    assert caught.value.__notes__[0].startswith("The instances were created (2 of them), and create_batch reads a list")


async def test_a_list_gives_handles_by_either_name(engine):
    binding = engine.bind("W", echo)

    one = await binding.createBatch([{"id": "a"}, {"id": "a"}])
    other = await binding.create_batch([{"id": "b"}, {"id": "a"}])

    assert [handle.id for handle in [*one, *other]] == ["a", "b"]


@pytest.mark.parametrize(
    ("options", "message", "note"),
    [
        ({"count": True}, "(body) count must be a positive integer", "It is True."),
        ({"count": "3"}, "(body) count must be a positive integer", "It is '3'."),
        ({"count": 3}, "(body) batchCreate only supports 2 instances at a time", "The count is 3."),
        ({"instances": {}}, "(body) Provided argument is invalid", "not {'instances': {}}."),
        ({"instances": [{}] * 3}, "(body) Batch size exceeds maximum allowed", "There are 3, and from 1 to 2 are"),
        ({"instances": [{"id": "b"}, {"id": "terminateAll"}]}, "(instance.invalid_id) Instance ID is invalid", None),
        ({"instances": [{"id": "b"}, {"id": "cf_" + "0" * 64}]}, "(instance.invalid_id) Instance ID is invalid", None),
        ({"instances": [{"id": "b"}, {"id": ""}]}, "(instance.invalid_id) Instance ID is invalid", "'' is no valid id"),
        ({"instances": [{}, 5]}, "(body) Invalid input: expected object, received number", "are a dict, not 5."),
        ({"instances": ["x"]}, "(body) Invalid input: expected object, received string", "not 'x'."),
        ({"instances": [None]}, "(body) Invalid input: expected object, received undefined", "not None."),
        ({"instances": [[]]}, "(body) Invalid input: expected object, received array", "not []."),
        ({"instances": [{"id": True}]}, "(body) Invalid input: expected string, received boolean", "The id is True."),
        ({"instances": [{"id": b""}]}, "(body) Invalid input: expected string, received object", "The id is "),
        ({"count": 1, "retention": 5}, "(body) Invalid input: expected object, received number", "retention is 5."),
        (
            {"instances": [{"id": 5, "locationHint": "moon"}]},
            "(body) Invalid input: expected string, received number; Invalid option: expected one of",
            "The id is 5. The locationHint is 'moon'.",
        ),
        (
            {"count": 1, "retention": {"errorRetention": 1.5}},
            "(body) Duration must be a number or a string in format '{{number}} {{unit}}' where unit is second(s), "
            "minute(s), etc.",
            "errorRetention is 1.5.",
        ),
        ({"count": 1, "retention": {"successRetention": True}}, "(body) Duration must be", "is True."),
        ({"count": 1, "retention": {"successRetention": "0 days"}}, "(body) Duration must be", "is '0 days'."),
        ({"count": 1, "locationHint": "moon"}, '(body) Invalid option: expected one of "wnam"|"weur"|', "'moon'."),
    ],
)
async def test_nothing_is_created_where_anything_is_wrong(options, message, note):
    async with Engine(limits=Limits(batch=2)) as engine:
        with pytest.raises(JsException) as caught:
            await engine.bind("W", echo).createBatch(options)

        assert caught.value.message.startswith(f"WorkflowError: {message}")
        assert note is None or note in caught.value.__notes__[0]
        assert engine.instances == []


async def test_params_that_are_too_large_are_refused_before_anything_is_created(engine):
    with pytest.raises(JsException, match="too large"):
        await engine.bind("W", echo).createBatch({"instances": [{"id": "a"}, {"params": "x" * 2**20}]})

    assert engine.instances == []


async def test_retention_and_hint_of_an_instance_are_taken(engine):
    options = {"id": "a", "retention": {"successRetention": "1 day"}, "locationHint": "weur"}
    answer = await engine.bind("W", echo).createBatch({"instances": [options, {"retention": None}]})

    assert [len(answer.created), answer.errors] == [2, []]
    assert engine.instances[0].row.success_retention == 86_400_000


async def test_ids_that_a_schedule_made_are_looked_for(engine):
    binding = engine.bind("W", echo)
    id = "*/5 * * * 1-5-1767225600000"

    with pytest.raises(JsException, match=r"^Error: instance\.not_found"):
        await binding.get(id)
    answer = await binding.deleteBatch([id, "x" * 271])
    assert [error["code"] for error in answer.errors] == [10400, 10400]
    with pytest.raises(JsException, match="Instance ID is invalid"):
        await binding.deleteBatch(["x" * 272])
