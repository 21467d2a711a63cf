"""The observations of the JavaScript level: their inputs run here too, by an interpreter, on the stand-ins themselves.

What Python code sees of a binding is what the SDK makes of these answers: their texts, orders and limits come through.
"""

import asyncio
import re
import sqlite3

import pytest
from golden_notation import ask_once, is_as, observations
from js_interpreter import call, js_function
from js_level_exceptions import DIFFERS, LEFT_OUT, LEFT_OUT_RECORDS, NEEDS_SQLITE
from js_notation import Raw, show
from js_world import World

import pytest_workflows
from durable_engine import call_bounded, jsnull
from pytest_workflows.javascript.objects import JsArray, JsPlain, JsPromise, from_python
from pytest_workflows.workers.environment import raw_env

# What the platform does in silence is a finding here, and these inputs do all of it.
pytestmark = pytest.mark.filterwarnings("ignore::pytest_workflows.WorkflowRuleWarning")

FILES = ("d1.json", "kv.json", "r2.json", "queues.json", "durable_objects.json", "other.json")
RECORDS = {
    record["id"]: record
    for file, record in observations(level="js")
    if file in FILES and record["id"] not in LEFT_OUT_RECORDS
}


def answers_of(record):
    observed = record["observed"]
    return observed if isinstance(observed, dict) else {"": observed}


def _needs_sqlite(id, label):
    is_old = sqlite3.sqlite_version_info < NEEDS_SQLITE.get((id, label), ())
    return pytest.mark.skipif(is_old, reason=f"SQLite {sqlite3.sqlite_version} is too old")


LABELS = [
    pytest.param(id, label, id=f"{id}::{label}", marks=_needs_sqlite(id, label))
    for id, record in RECORDS.items()
    for label, answer in answers_of(record).items()
    if (id, label) not in LEFT_OUT and not answer.startswith("own: ")
]

_answers = {}
"""The answers of the records that ran, by id."""


class Bench:
    """The functions that the inputs were written with, and the environment that they get."""

    def __init__(self, env, clock):
        import worker

        self._env = env
        self._clock = clock
        seen = JsArray([])
        self._seen = seen._items
        worker.ON_BATCH[:] = [self._on_batch]
        names = {name: self._function(name) for name in ("until", "of", "log", "fresh", "setTimeout")}
        self.world = World(self._wait, self._now, seen=seen, behave=None, **names)

    async def run(self, record):
        function = self.world.function(record["input"])
        if record["id"] == "d1.allowed":  # an earlier observation had made and dropped such a table
            await self._env.DB.exec("CREATE TABLE ai (a INTEGER PRIMARY KEY AUTOINCREMENT); DROP TABLE ai")
        if not record["input"].startswith("async("):
            return from_python(await call(function, [raw_env]))
        namespace = self._env.KVNS if record["id"].endswith(".legacy") else self._env.NS
        stub = namespace.getByName(record["id"])
        return await pytest_workflows.run_in_durable_object(stub, lambda _, ctx: self._inside(function, ctx))

    async def _inside(self, function, ctx):
        storage = ctx.storage._binding
        return from_python(await call(function, [JsPlain({"s": storage, "o": JsPlain({"ctx": ctx._ctx})})]))

    async def _on_batch(self, batch):
        get = self.world.interpreter.get
        messages = [
            JsPlain({name: get(message, name) for name in ("body", "attempts", "id")})
            for message in get(batch, "messages")._items
        ]
        self._seen.append((get(batch, "queue"), self._now(), messages))
        behave = self.world.interpreter._world.names["behave"]
        if behave is not None:
            result = call(behave, [batch])
            if isinstance(result, JsPromise):
                await result

    def _function(self, name):
        return js_function(getattr(self, f"_{name}"), name)

    async def _wait(self, ms):
        await asyncio.sleep(ms / 1000)

    def _setTimeout(self, function, ms):
        asyncio.get_running_loop().call_soon(call, function, [])

    def _now(self):
        return int(self._clock.now.timestamp() * 1000)

    def _until(self, condition, most):
        return JsPromise.running(self._poll(condition, most))

    async def _poll(self, condition, most):
        for _ in range(int(most) // 50):
            if call(condition, []) not in (None, False, jsnull, 0):
                return
            await self._wait(50)

    def _of(self, queue):
        return JsArray(
            [JsPlain({"at": at, "messages": JsArray(messages)}) for name, at, messages in self._seen if name == queue]
        )

    def _log(self):
        first = self._seen[0][1] if self._seen else 0
        batches = []
        for queue, at, messages in self._seen:
            bodies = [f"{show(m._entries['body'])} attempts={m._entries['attempts']}" for m in messages]
            batches.append(f"{{queue: {show(queue)}, atMs: ~{at - first}, msgs: [{', '.join(bodies)}]}}")
        self._seen.clear()
        return Raw(f"[{', '.join(batches)}]")

    def _fresh(self, namespace):
        self._made = getattr(self, "_made", 0) + 1
        return call(self.world.interpreter.get(namespace, "getByName"), [f"fresh {self._made}"])


@pytest.fixture
async def answers(record, workflow_env, workflow_clock, workflow_engine):
    async def ask():
        bench = Bench(workflow_env, workflow_clock)
        given = await call_bounded(workflow_engine, "The input", lambda: bench.run(RECORDS[record]))
        entries = given._entries if isinstance(given, JsPlain) else {"": given}
        return {label: show(answer) for label, answer in entries.items()}

    return await ask_once(record, ask, _answers)


def without_details(text):
    """An answer without what another observation left, and without an error's own properties and cause."""
    # Without a change, the row's id is that of an insert of an earlier observation.
    text = re.sub(r"(changes(?:: |=)0,? last_row_id(?:: |=))\d+", r"\g<1>0", text)
    text = re.sub(r" cause=\[.*?\](?=$|[,;}\]])", "", text, flags=re.DOTALL)
    return re.sub(r'(?<=") \{(?:remote|code|durableObjectId)[^{}]*\}', "", text)


@pytest.mark.parametrize(("record", "label"), LABELS)
def test_a_stand_in_answers_as_the_real_binding_did(record, label, answers):
    observed, _ = DIFFERS.get((record, label), (answers_of(RECORDS[record])[label], None))
    observed = without_details(observed)

    assert is_as(observed, without_details(answers[label])), f"observed: {observed}\nhere:     {answers[label]}"


def test_the_lists_of_exceptions_name_observations_that_there_are():
    known = {record["id"]: answers_of(record) for _, record in observations(level="js")}
    for id in LEFT_OUT_RECORDS:
        assert id in known
    for id, label in (*DIFFERS, *LEFT_OUT):
        assert label in known[id]
