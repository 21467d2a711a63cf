"""Bindings of the configuration that cannot be right: an error with file and line before the first test."""

from typing import Any

import pytest

CONFIG = """\
{
  "name": "shop",
  "main": "src/entry.py",
  "compatibility_date": "2026-11-10",
  %s
}
"""
ENTRY = """
    from workers import DurableObject, WorkerEntrypoint

    class Counter(DurableObject):
        pass

    class Other(WorkerEntrypoint):
        pass

    class Default(WorkerEntrypoint):
        async def fetch(self, request): ...
"""
TEST = """
    async def test_one(workflow_env):
        open("ran", "w").close()

    async def test_two(workflow_worker):
        open("ran", "w").close()

    def test_without_us():
        pass
"""
WRONG = {
    "a binding without a name": (
        '"kv_namespaces": [\n{"binding": "A", "id": "1"},\n{"id": "2"}]',
        7,
        'kv_namespaces[1] has no text as "binding", the name in env (found: id).',
    ),
    "a binding whose name is empty": (
        '"queues": {"producers": [\n{"binding": "", "queue": "q"}]}',
        6,
        'queues.producers[0] has no text as "binding", the name in env (found: binding, queue).',
    ),
    "two of one name": (
        '"kv_namespaces": [{"binding": "A", "id": "1"}],\n"r2_buckets": [{"binding": "A", "bucket_name": "b"}]',
        5,
        "the binding 'A' is declared more than once.",
    ),
    "a producer of no queue": (
        '"queues": {"producers": [\n{"binding": "Q"}]}',
        6,
        'queues.producers[0] has no text as "queue" (found: binding).',
    ),
    "a binding of no service": (
        '"services": [\n{"binding": "S", "entrypoint": "Other"}]',
        6,
        'services[0] has no text as "service" (found: binding, entrypoint).',
    ),
    "a binding of no class": (
        '"durable_objects": {"bindings": [\n{"name": "C"}]}',
        6,
        'durable_objects.bindings[0] has no text as "class_name" (found: name).',
    ),
    "a bucket whose name is no text": (
        '"r2_buckets": [\n{"binding": "R", "bucket_name": 7}]',
        6,
        'r2_buckets[0] has no text as "bucket_name" (it is 7).',
    ),
    "a consumer of no queue": (
        '"queues": {"consumers": [\n{"max_retries": 1}]}',
        6,
        'queues.consumers[0] has no text as "queue", the name of the queue (found: max_retries).',
    ),
    "two consumers of one queue": (
        '"queues": {"consumers": [\n{"queue": "q"},\n{"queue": "q"}]}',
        7,
        "the queue 'q' has two consumers in queues.consumers.",
    ),
    "an unknown kind of consumer": (
        '"queues": {"consumers": [\n{"queue": "q", "type": "browser"}]}',
        6,
        'queues.consumers[0].type is \'browser\'. A consumer is "worker" or "http_pull".',
    ),
    "a consumer without a handler": (
        '"queues": {"consumers": [\n{"queue": "q"}]}',
        6,
        "the Worker is a consumer of the queue 'q', and its main module has no queue handler. Write",
    ),
    "a consumer's setting": (
        '"queues": {"consumers": [\n{"queue": "q", "max_batch_size": 500}]}',
        6,
        "max_batch_size of the consumer of 'q' is 500; it is a number from 1 to 100.",
    ),
    "crons that are no list": (
        '"triggers": {"crons": "0 3 * * *"},\n"kv_namespaces": [{"binding": "A", "id": "1"}]',
        5,
        "triggers.crons is '0 3 * * *'. Write a list of texts, as [\"0 3 * * *\"].",
    ),
    "a class of Durable Objects that is not there": (
        '"durable_objects": {"bindings": [\n{"name": "C", "class_name": "Missing"}]}',
        6,
        "the binding C names the class 'Missing' of Durable Objects, and the main module has no such class.",
    ),
    "an entrypoint that is not there": (
        '"services": [\n{"binding": "S", "service": "shop", "entrypoint": "Missing"}]',
        6,
        "the service binding S names the entrypoint 'Missing', and the",
    ),
    "a folder of migrations that is not there": (
        '"d1_databases": [\n{"binding": "DB", "database_id": "1", "migrations_dir": "sql"}]',
        6,
        "the D1 database 'DB': migrations_dir is 'sql', and there is no such folder",
    ),
}


@pytest.mark.parametrize(("settings", "line", "message"), WRONG.values(), ids=WRONG)
def test_a_mistake_is_an_error_with_file_and_line_before_the_first_test(worker: Any, settings, line, message):
    (worker.path / "wrangler.jsonc").write_text(CONFIG % settings)
    worker.write("src/entry.py", ENTRY)

    result = worker.run(TEST)

    result.assert_outcomes(passed=1, errors=2)
    assert result.stdout.str().count(f"wrangler.jsonc:{line}: {message}") >= 2
    assert not (worker.path / "ran").exists()


def test_a_migration_that_fails_is_one_too_with_its_statement_and_the_text_of_sqlite(worker: Any):
    worker.write("wrangler.jsonc", CONFIG % '"d1_databases": [{"binding": "DB", "database_id": "1"}]')
    worker.write("migrations/0001_a.sql", "CREATE TABLE a (id);\n\nCREATE TABLE b (id;\n")

    result = worker.run(TEST)

    result.assert_outcomes(passed=1, errors=2)
    result.stdout.fnmatch_lines(
        "*migrations/0001_a.sql:3: the migration fails: near \";\": syntax error*The statement: 'CREATE TABLE b (id;'*"
    )


def test_a_binding_that_the_test_gives_itself_is_not_checked(worker: Any):
    worker.write("wrangler.jsonc", CONFIG % WRONG["a folder of migrations that is not there"][0])
    worker.write("src/entry.py", ENTRY)
    worker.write(
        "tests/conftest.py",
        """
        import pytest

        @pytest.fixture
        def workflow_bindings():
            return {"DB": object()}
        """,
    )

    worker.run(TEST).assert_outcomes(passed=3)


@pytest.mark.parametrize(
    "settings",
    [
        '"queues": {"consumers": [{"queue": "q"}]}',
        '"durable_objects": {"bindings": [{"name": "COUNTER", "class_name": "Counter"}]}',
        '"services": [{"binding": "ADMIN", "service": "shop", "entrypoint": "Admin"}]',
    ],
    ids=["a consumer", "Durable Objects", "a service binding"],
)
def test_a_main_module_that_cannot_be_imported_is_told_by_who_needs_it(worker: Any, settings: str):
    worker.write("wrangler.jsonc", CONFIG % settings)
    worker.write("src/entry.py", "1 / 0")

    result = worker.run(
        """
        async def test_env(workflow_env):
            pass

        async def test_worker(workflow_worker):
            await workflow_worker.fetch("/")
        """
    )

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines("E *ZeroDivisionError*")
