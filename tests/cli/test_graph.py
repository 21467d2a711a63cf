"""`pytest-workflows graph`: a workflow's steps as they ran."""

import pytest

from .conftest import text

RAN = """
    flowchart TD
      start(("start"))
      s0["check stock<br/>1 run"]
      s1["charge card<br/>1 run · 1 failed · 2 retries"]
      s2(["cool down<br/>never ran"])
      s3{{"approval<br/>never ran"}}
      s4["ship-2026<br/>never ran"]
      end_complete((("complete<br/>never")))
      end_errored((("errored<br/>1 instance")))
      start --> s0
      s0 --> s1
      s1 --> end_errored
      s1 -.-> s2
      s2 -.-> s3
      s3 -.-> s4
      s0 -.-> end_complete
      s3 -.-> end_complete
      s4 -.-> end_complete
      classDef never fill:#f2f2f2,stroke:#b3b3b3,color:#767676,stroke-dasharray:4 3
      classDef failed fill:#fdecea,stroke:#c62828,color:#8e1b1b
      class s2,s3,s4,end_complete never
      class s1,end_errored failed
      linkStyle 3,4,5,6,7,8 stroke:#b3b3b3
    """


@pytest.fixture
def recorded(shop):
    """The shop after a test of it has failed."""
    from .conftest import TESTS

    shop.write("tests/test_orders.py", TESTS)
    assert shop.pytest().code == 1
    return shop


def test_a_recording_is_drawn_with_the_branches_that_it_did_not_take(recorded):
    ended = recorded.command("graph", ".workflows/failures")

    assert (ended.code, ended.err) == (0, "")
    assert ended.out == text(RAN)


def test_an_output_that_ends_in_svg_is_svg(recorded):
    ended = recorded.command("graph", ".workflows/failures", "--output", "orders.svg")

    assert (ended.code, ended.out) == (0, "")
    assert "Graph of ORDERS: 5 steps, 3 of them never ran" in (recorded.path / "orders.svg").read_text()


def test_the_format_can_be_chosen(recorded):
    assert recorded.command("graph", ".workflows/failures", "--format", "svg").out.startswith("<svg ")


def test_without_recordings_the_source_alone_is_drawn(shop):
    ended = shop.command("graph")

    assert ended.code == 0
    assert ended.out.count("never ran") == 5
    assert "-->" not in ended.out


def test_production_s_json_is_drawn_as_well(shop, dumps):
    ended = shop.command("graph", str(dumps / "complete.json"), "--workflow", "ORDERS")

    assert ended.code == 0
    assert '  s4["ship-2026<br/>1 run"]' in ended.out.splitlines()


def test_production_s_json_is_of_the_only_workflow(shop, dumps):
    ended = shop.command("graph", str(dumps / "complete.json"))

    assert (ended.code, ended.out) == (
        0,
        shop.command("graph", str(dumps / "complete.json"), "--workflow", "ORDERS").out,
    )


def test_production_s_json_needs_a_workflow_where_there_are_several(shop, dumps):
    shop.add_binding()
    ended = shop.command("graph", str(dumps / "complete.json"))

    assert ended.code == 2
    assert ended.err == text("""
        Error: a recording does not say which workflow it is of.
        Hint: Say it: --workflow BINDING
        """)


def test_a_workflow_that_is_not_there(recorded):
    ended = recorded.command("graph", ".workflows/failures", "--workflow", "REFUNDS")

    assert ended.code == 2
    assert ended.err == text("""
        Error: there is no workflow 'REFUNDS': the recordings are of ORDERS.
        Hint: Name one of these.
        """)


def test_a_folder_without_recordings(shop):
    (shop.path / "empty").mkdir()

    ended = shop.command("graph", "empty")

    assert ended.code == 3
    assert ended.err.startswith("Error: there is no recording.")


def test_an_output_that_cannot_be_written(shop):
    ended = shop.command("graph", "--output", "no/such/folder.svg")

    assert ended.code == 3
    assert ended.err.startswith("Error: no/such/folder.svg cannot be written: No such file or directory.")


@pytest.mark.parametrize(
    ("output", "start"),
    [
        ("orders.svg", "<svg"),
        ("orders.SVG", "<svg"),
        ("orders.mmd", "flowchart"),
        ("orders.mermaid", "flowchart"),
        ("orders.md", "```mermaid\nflowchart"),
    ],
)
def test_the_ending_of_an_output_says_what_is_written(recorded, output, start):
    ended = recorded.command("graph", "-o", output)

    assert ended.code == 0
    assert (recorded.path / output).read_text(encoding="utf-8").startswith(start)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["-o", "g.png"],
            "Error: --output g.png: a graph cannot be written as '.png'.\nHint: It takes .svg for a picture;",
        ),
        (["-o", "g.png", "--format", "svg"], "Error: --output g.png: a graph cannot be written as '.png'."),
        (["-o", "g.svg", "--format", "mermaid"], "Error: --output g.svg is for svg, and --format says mermaid."),
        (["-o", "g.txt"], "Error: --output g.txt: a graph cannot be written as '.txt'."),
    ],
)
def test_an_ending_that_cannot_be_written_is_refused(recorded, arguments, said):
    ended = recorded.command("graph", *arguments)

    assert ended.code == 2
    assert ended.err.startswith(said)
    assert not (recorded.path / arguments[1]).exists()
