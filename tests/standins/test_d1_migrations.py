"""Migrations, as `wrangler d1 migrations apply --local` applies them. Seen on wrangler 4.164.0."""

import re

import pytest
from d1_databases import database

from pytest_workflows import WorkflowConfigError, apply_d1_migrations
from pytest_workflows.standins.d1_migrations import Migrations

CONFIG = """{
  "name": "shop",
  "main": "entry.py",
  "compatibility_date": "2026-11-01",
  "compatibility_flags": ["python_workers"],
  "d1_databases": [
    {"binding": "DB", "database_name": "shop", "database_id": "1"%s},
    {"binding": "SAME", "database_name": "shop", "database_id": "1"},
    {"binding": "OTHER", "database_name": "other", "database_id": "2", "migrations_dir": "other", "migrations_table": "done"}
  ]
}
"""
ENTRY = """
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        await self.env.DB.prepare("INSERT INTO items (name) VALUES (?)").bind("tea").run()
        return Response.json((await self.env.DB.prepare("SELECT * FROM items").all()).results)
"""


@pytest.fixture
def project(pytester):
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function")
    write(pytester.path, "wrangler.jsonc", CONFIG % "")
    write(pytester.path, "entry.py", ENTRY)
    write(pytester.path, "migrations/0001_init.sql", "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT);")
    write(pytester.path, "other/1.sql", "CREATE TABLE t(x)")
    return pytester


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


async def names_of(db):
    return [name for (name,) in await db.prepare("SELECT name FROM d1_migrations ORDER BY id").raw()]


def migrations(folder):
    made = database()
    made._binding._migrations = Migrations(folder)
    return made


async def test_files_are_applied_in_order_once_and_remembered(tmp_path):
    write(tmp_path, "0010_ten.sql", "INSERT INTO a VALUES (10)")
    write(tmp_path, "2_two.sql", "INSERT INTO a VALUES (2)")
    write(tmp_path, "0001_init.sql", "CREATE TABLE a(x);\n-- done\n")
    write(tmp_path, "0012_empty.sql", "-- nothing")
    write(tmp_path, "0013_zero.sql", "")
    write(tmp_path, "readme.md", "no SQL")
    write(tmp_path, "sub/0001_sub.sql", "NONSENSE")
    db = migrations(tmp_path)
    order = ["0001_init.sql", "2_two.sql", "0010_ten.sql", "0012_empty.sql", "0013_zero.sql"]
    assert await apply_d1_migrations(db) == await names_of(db) == order
    assert await apply_d1_migrations(db) == []
    assert await db.prepare("SELECT x FROM a").raw() == [[2], [10]]
    row = await db.prepare("SELECT * FROM d1_migrations").first()
    assert row == {"id": 1, "name": "0001_init.sql", "applied_at": "2026-01-02 03:04:05"}
    made = await db.prepare("SELECT sql FROM sqlite_schema WHERE name = 'd1_migrations'").first("sql")
    assert re.sub(r"\s+", " ", made) == (
        'CREATE TABLE "d1_migrations"( id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE,'
        " applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL )"
    )


async def test_a_trigger_may_go_over_several_lines(tmp_path):
    write(
        tmp_path,
        "0001_init.sql",
        "CREATE TABLE a(x);\nCREATE TRIGGER tr AFTER INSERT ON a\nBEGIN\n  DELETE FROM a WHERE x = 1;\n  SELECT 1;\nEND;\nINSERT INTO a VALUES (1);",
    )
    db = migrations(tmp_path)
    await apply_d1_migrations(db)
    assert await db.prepare("SELECT * FROM a").raw() == []


async def test_a_file_that_fails_leaves_nothing_and_ends_it(tmp_path):
    write(tmp_path, "0001_init.sql", "CREATE TABLE a(x)")
    half = write(tmp_path, "0002_half.sql", "CREATE TABLE b(x);\nINSERT INTO a VALUES (1);\n\nNONSENSE;\nSELECT 1;")
    write(tmp_path, "0003_more.sql", "CREATE TABLE c(x)")
    db = migrations(tmp_path)
    with pytest.raises(WorkflowConfigError) as error:
        await apply_d1_migrations(db)
    assert str(error.value) == (
        f'{half}:4: the migration fails: near "NONSENSE": syntax error at offset 0: SQLITE_ERROR.'
        " The statement: 'NONSENSE;'"
    )
    assert await names_of(db) == ["0001_init.sql"]
    assert await db.prepare("SELECT name FROM sqlite_schema WHERE name IN ('a', 'b', 'c')").raw() == [["a"]]
    assert await db.prepare("SELECT * FROM a").raw() == []


async def test_another_folder_is_looked_for_beside_the_configuration(tmp_path):
    write(tmp_path, "next/0001_next.sql", "CREATE TABLE n(x)")
    db = migrations(tmp_path / "migrations")
    assert await apply_d1_migrations(db) == []
    assert await apply_d1_migrations(db, "next") == ["0001_next.sql"]
    with pytest.raises(WorkflowConfigError, match="there is no folder"):
        await apply_d1_migrations(db, "nowhere")


async def test_only_a_database_has_migrations():
    with pytest.raises(
        TypeError, match=r"apply_d1_migrations: 'DB' is no D1 database; give workflow_env.NAME of one\."
    ):
        await apply_d1_migrations("DB")


def test_every_test_begins_with_the_migrations_applied_and_nothing_else(project):
    project.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("time", [1, 2])
        async def test_the_worker_has_its_tables(workflow_env, workflow_worker, time):
            answer = await workflow_worker.fetch("http://x/")
            assert await answer.json() == [{"id": 1, "name": "tea"}]
            assert await workflow_env.SAME.prepare("SELECT count(*) AS n FROM items").first("n") == 1
            assert await workflow_env.OTHER.prepare("SELECT name FROM sqlite_schema ORDER BY name").raw() == [
                ["done"], ["sqlite_autoindex_done_1"], ["sqlite_sequence"], ["t"]
            ]
            assert await workflow_env.OTHER.prepare("SELECT applied_at FROM done").first("applied_at") == "2026-11-01 00:00:00"
        """
    )
    project.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=2)


def test_a_changed_file_is_applied_anew(project):
    project.makepyfile(
        """
        import os, pathlib

        async def test_one(workflow_env):
            assert await workflow_env.DB.prepare("SELECT * FROM items").raw() == []
            pathlib.Path("migrations/0002_more.sql").write_text("INSERT INTO items (name) VALUES ('new')")

        async def test_two(workflow_env):
            assert await workflow_env.DB.prepare("SELECT name FROM items").raw() == [["new"]]
        """
    )
    project.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=2)


def test_a_file_that_was_edited_in_its_place_is_applied_anew(project):
    project.makepyfile(
        """
        import pathlib

        async def test_one(workflow_env):
            assert await workflow_env.DB.prepare("SELECT * FROM items").raw() == []
            path = pathlib.Path("migrations/0001_init.sql")
            path.write_text(path.read_text() + " INSERT INTO items (name) VALUES ('edited');")

        async def test_two(workflow_env):
            assert await workflow_env.DB.prepare("SELECT name FROM items").raw() == [["edited"]]
        """
    )
    project.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=2)


def test_a_migration_that_fails_is_an_error_before_the_test_with_file_and_line(project):
    write(project.path, "migrations/0002_bad.sql", "\nCREATE TABLE items (x);")
    project.makepyfile("async def test_it(workflow_env): workflow_env.DB")
    result = project.runpytest("-p", "no:cacheprovider")
    result.stdout.fnmatch_lines(
        ["*0002_bad.sql:2: the migration fails: table items already exists at offset 13: SQLITE_ERROR.*"]
    )
    result.assert_outcomes(errors=1)


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ('"migrations_dir": "nowhere"', "migrations_dir is 'nowhere', and there is no such folder: "),
        ('"migrations_dir": 5', "migrations_dir is a number (5), not a name."),
        ('"migrations_table": ""', "migrations_table is empty, not a name."),
    ],
)
def test_a_setting_that_cannot_be_is_told_with_its_line(project, setting, text):
    write(project.path, "wrangler.jsonc", CONFIG % f", {setting}")
    project.makepyfile("async def test_it(workflow_env): workflow_env.DB")
    result = project.runpytest("-p", "no:cacheprovider")
    result.stdout.fnmatch_lines([f"*wrangler.jsonc:7: the D1 database 'DB': {text}*".replace("[", "[[]")])
