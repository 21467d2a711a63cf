"""`pytest-workflows list`: the bindings of the configuration that pytest finds as well."""

import json

from .conftest import text


def test_the_bindings_of_the_project(shop):
    ended = shop.command("list")

    assert ended.code == 0
    assert ended.out == text("""
        Binding  Workflow  Class          Source
        ORDERS   orders    OrderWorkflow  src/entry.py

        from wrangler.jsonc
        """)


def test_json(shop):
    found = json.loads(shop.command("list", "--json").out)

    assert found["config"] == str(shop.path / "wrangler.jsonc")
    assert [(one["binding"], one["class_name"]) for one in found["workflows"]] == [("ORDERS", "OrderWorkflow")]


def test_ini_names_the_configuration(shop):
    (shop.path / "wrangler.jsonc").rename(shop.path / "other.jsonc")
    shop.write(
        "pytest.ini",
        "[pytest]\nworkflows_config = other.jsonc\nasyncio_default_fixture_loop_scope = function\naddopts = --no-such-option\n",
    )

    assert shop.command("list").lines[-1] == "from other.jsonc"


def test_the_option_wins(shop):
    other = '{"main": "e.py", "workflows": [{"binding": "B", "name": "b", "class_name": "C", "script_name": "far"}]}'
    shop.write("other/wrangler.json", other)

    assert shop.command("list", "--config", "other/wrangler.json").lines[1] == (
        "B        b         C      another Worker, far"
    )


def test_a_configuration_that_cannot_be_read_is_named(shop):
    shop.write("wrangler.jsonc", '{"name": "shop",,}')
    ended = shop.command("list")

    assert ended.code == 3
    assert ended.err.startswith(f"Error: {shop.path}/wrangler.jsonc:1: this is no valid JSON with comments:")


def test_no_configuration(shop):
    (shop.path / "wrangler.jsonc").unlink()
    ended = shop.command("list")

    assert ended.code == 3
    assert ended.err == (
        f"Error: no wrangler configuration was found from {shop.path} up to {shop.path}.\n"
        "Hint: Run this in a Worker's project, or name its configuration: --config path/to/wrangler.jsonc\n"
    )


def test_workflows_that_are_only_exported_are_listed(shop):
    config = (shop.path / "wrangler.jsonc").read_text()
    exports = {
        "OrderWorkflow": {"type": "workflow", "name": "orders"},
        "Nightly": {"type": "workflow", "name": "nightly"},
    }
    shop.write("wrangler.jsonc", config.replace("{", f'{{ "exports": {json.dumps(exports)},', 1))

    assert shop.command("list").out == text("""
        Binding             Workflow  Class          Source
        ORDERS              orders    OrderWorkflow  src/entry.py
        Nightly (exported)  nightly   Nightly        src/entry.py

        from wrangler.jsonc
        """)
