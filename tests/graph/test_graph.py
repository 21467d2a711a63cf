"""The graph of recordings and source, as Mermaid and as SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pytest_workflows.recordings import Attempt, ErrorRecord, HistoryLine, Recording, Step
from pytest_workflows.reporting.graph import Edge, Graph, Node, build_graph, to_mermaid, to_svg
from pytest_workflows.reporting.graph.layout import lay_out
from pytest_workflows.sources import SourceWorkflow, find_steps

START = datetime(2026, 1, 1, tzinfo=UTC)
SOURCE = """
class Flow:
    async def run(self, event, step):
        @step.do("check")
        async def check():
            return 1

        @step.do("price")
        async def price():
            return 2

        await asyncio.gather(check(), price())
        if event["payload"]:
            await step.wait_for_event("approval", "approved")
        else:
            await step.sleep("pause", "1 day")
        for box in range(3):
            await step.sleep(f"ship {box}", "1 day")
"""
EVENTS = {
    "do": ("STEP_START", "STEP_SUCCESS"),
    "sleep": ("SLEEP_START", "SLEEP_COMPLETE"),
    "wait_for_event": ("WAIT_START", "WAIT_COMPLETE"),
}


def source(tmp_path: Path) -> SourceWorkflow:
    path = tmp_path / "entry.py"
    path.write_text(SOURCE, encoding="utf-8")
    found = find_steps(path, "Flow")
    assert found is not None
    return found


def run(*order: str, status: str = "complete", **steps: Step) -> Recording:
    """A recording: `"+check"` starts a step and `"-check"` ends it."""
    history = []
    for mark in order:
        step = steps[mark[1:]]
        history.append(HistoryLine(kind=EVENTS[step.kind][mark[0] == "-"], step=step.label, at=START))
    started = [steps[mark[1:]] for mark in order if mark[0] == "+"]
    return Recording(instance_id="a", status=status, steps=started, history=history)


def do(name: str) -> Step:
    return Step(kind="do", name=name, attempts=[Attempt(number=1)])


def sleep(name: str) -> Step:
    return Step(kind="sleep", name=name)


def edges(graph: Graph, *, taken: bool = True) -> list[tuple[str, str, int]]:
    label = {node.id: node.label for node in graph.nodes}
    return [(label[edge.source], label[edge.target], edge.times) for edge in graph.edges if (edge.times > 0) == taken]


FULL = {
    "check": do("check"),
    "price": do("price"),
    "pause": sleep("pause"),
    "one": sleep("ship 0"),
    "two": sleep("ship 1"),
}
ORDER = ("+check", "+price", "-check", "-price", "+pause", "-pause", "+one", "-one", "+two", "-two")


# -- what ran ---------------------------------------------------------------------------------------------------------


def test_steps_that_overlap_stand_side_by_side_and_the_next_one_follows_both() -> None:
    graph = build_graph([run(*ORDER[:6], **FULL)])

    assert edges(graph) == [
        ("start", "check", 1),
        ("start", "price", 1),
        ("check", "pause", 1),
        ("price", "pause", 1),
        ("pause", "complete", 1),
    ]


def test_several_runs_add_up(tmp_path: Path) -> None:
    graph = build_graph([run(*ORDER, **FULL), run(*ORDER[:6], **FULL)], source(tmp_path))

    assert edges(graph) == [
        ("start", "check", 2),
        ("start", "price", 2),
        ("check", "pause", 2),
        ("price", "pause", 2),
        ("pause", "ship {box}", 1),
        ("ship {box}", "ship {box}", 1),
        ("ship {box}", "complete", 1),
        ("pause", "complete", 1),
    ]
    ship = next(node for node in graph.nodes if node.label == "ship {box}")
    assert ship.runs == 2


def test_what_the_source_has_and_nothing_took_is_in_it_without_runs(tmp_path: Path) -> None:
    graph = build_graph([run(*ORDER, **FULL)], source(tmp_path))

    assert [node.label for node in graph.nodes if not node.taken] == ["approval"]
    assert edges(graph, taken=False) == [
        ("check", "approval", 0),
        ("price", "approval", 0),
        ("approval", "ship {box}", 0),
        ("approval", "complete", 0),
        ("pause", "complete", 0),
    ]


def test_without_a_run_everything_is_what_could_be(tmp_path: Path) -> None:
    graph = build_graph([], source(tmp_path))

    assert not any(node.taken for node in graph.nodes)
    assert edges(graph) == []


def test_branches_that_run_side_by_side_are_told_apart_by_the_source(tmp_path: Path) -> None:
    path = tmp_path / "entry.py"
    path.write_text("""
class Flow:
    async def run(self, event, step):
        async def left():
            await step.sleep("l1", "1 day")
            await step.sleep("l2", "1 day")

        async def right():
            await step.sleep("r1", "1 day")
            await step.sleep("r2", "1 day")

        await asyncio.gather(left(), right())
""")
    steps = {name: sleep(name) for name in ("l1", "l2", "r1", "r2")}

    graph = build_graph(
        [run("+l1", "+r1", "-l1", "-r1", "+l2", "+r2", "-l2", "-r2", **steps)], find_steps(path, "Flow")
    )

    assert ("l1", "l2", 1) in edges(graph)
    assert ("r1", "r2", 1) in edges(graph)
    assert ("l1", "r2", 1) not in edges(graph)


def test_a_dependency_is_an_edge_of_its_own_kind(tmp_path: Path) -> None:
    path = tmp_path / "entry.py"
    path.write_text("""
class Flow:
    async def run(self, event, step):
        @step.do()
        async def a():
            pass

        @step.do("sum")
        async def total(a):
            pass

        await total()
""")
    steps = {"a": do("a"), "sum": do("sum")}

    graph = build_graph([run("+a", "-a", "+sum", "-sum", **steps)], find_steps(path, "Flow"))

    assert [(edge.source, edge.target) for edge in graph.edges if edge.depends] == [("s0", "s1")]


def test_without_a_history_the_times_tell_the_order() -> None:
    def at(seconds: int) -> datetime:
        return START + timedelta(seconds=seconds)

    steps = [
        Step(kind="do", name="a", started_at=at(0), ended_at=at(1)),
        Step(kind="do", name="b", started_at=at(1), ended_at=at(3)),
        Step(kind="do", name="c", started_at=at(3), ended_at=at(4)),
    ]

    graph = build_graph([Recording(instance_id="p", source="production", status="complete", steps=steps)])

    assert edges(graph) == [("start", "a", 1), ("a", "b", 1), ("b", "c", 1), ("c", "complete", 1)]


def test_an_instance_that_still_waits_has_no_end() -> None:
    graph = build_graph([run("+pause", status="waiting", **FULL)])

    assert edges(graph) == [("start", "pause", 1)]
    assert [node.kind for node in graph.nodes] == ["start", "sleep"]


def test_a_failure_is_told_in_a_nodes_notes() -> None:
    failed = ErrorRecord(name="Error", message="no")
    step = Step(kind="do", name="a", status="errored", attempts=[Attempt(number=1, error=failed), Attempt(number=2)])

    graph = build_graph([Recording(instance_id="a", status="errored", steps=[step])])

    assert graph.nodes[1].notes == "1 run · 1 failed · 1 retry"
    assert graph.nodes[-1].id == "end_errored"


# -- Mermaid ----------------------------------------------------------------------------------------------------------


def test_mermaid_shows_kinds_by_shape_and_what_nothing_took_in_grey(tmp_path: Path) -> None:
    graph = build_graph([run(*ORDER, **FULL)], source(tmp_path))

    assert (
        to_mermaid(graph)
        == """\
flowchart TD
  start(("start"))
  s0["check<br/>1 run"]
  s1["price<br/>1 run"]
  s2{{"approval<br/>never ran"}}
  s3(["pause<br/>1 run"])
  s4(["ship {box}<br/>2 runs"])
  end_complete((("complete<br/>1 instance")))
  start --> s0
  start --> s1
  s0 --> s3
  s1 --> s3
  s3 --> s4
  s4 --> s4
  s4 --> end_complete
  s0 -.-> s2
  s1 -.-> s2
  s2 -.-> s4
  s2 -.-> end_complete
  s3 -.-> end_complete
  classDef never fill:#f2f2f2,stroke:#b3b3b3,color:#767676,stroke-dasharray:4 3
  classDef failed fill:#fdecea,stroke:#c62828,color:#8e1b1b
  class s2 never
  linkStyle 7,8,9,10,11 stroke:#b3b3b3
"""
    )


def test_a_name_cannot_break_out_of_mermaid() -> None:
    graph = Graph("x", [Node("s0", "do", 'say "hi" <b>#1</b> & more\nlines', runs=1)], [])

    assert '  s0["say #quot;hi#quot; #lt;b#gt;#35;1#lt;/b#gt; #amp; more lines<br/>1 run"]\n' in to_mermaid(graph)


# -- SVG --------------------------------------------------------------------------------------------------------------

SVG = "{http://www.w3.org/2000/svg}"


def test_the_svg_is_well_formed_and_draws_every_node_and_edge(tmp_path: Path) -> None:
    graph = build_graph([run(*ORDER, **FULL)], source(tmp_path), "FLOW")

    root = ET.fromstring(to_svg(graph))

    assert root.get("aria-label") == "Graph of FLOW: 5 steps, 1 of them never ran"
    assert len(root.findall(f"{SVG}path")) == len(graph.edges)
    groups = root.findall(f"{SVG}g")
    assert [group.findtext(f"{SVG}title") for group in groups][
        3
    ] == f"wait_for_event approval, never ran, {tmp_path}/entry.py:14"
    assert ["never" in (group.get("class") or "").split() for group in groups] == [
        not node.taken for node in graph.nodes
    ]


def test_a_name_cannot_break_out_of_the_svg() -> None:
    graph = Graph("<x>", [Node("s0", "do", "<script>alert('1')</script> & \"more\"", runs=1)], [])

    root = ET.fromstring(to_svg(graph))

    assert root.findall(f".//{SVG}script") == []


def test_in_a_page_it_takes_the_pages_colours() -> None:
    graph = Graph("x", [Node("s0", "do", "a", runs=1)], [])

    assert "prefers-color-scheme" in to_svg(graph)
    assert "prefers-color-scheme" not in to_svg(graph, standalone=False)


# -- layout -----------------------------------------------------------------------------------------------------------


def test_nodes_do_not_overlap_and_edges_lead_downwards() -> None:
    sizes = dict.fromkeys("abcdefg", (100.0, 40.0))
    links = [("a", "b"), ("a", "c"), ("a", "d"), ("b", "e"), ("c", "e"), ("d", "f"), ("a", "g"), ("e", "g"), ("f", "g")]

    layout = lay_out(sizes, links)

    assert all(layout.boxes[source].y < layout.boxes[target].y for source, target in links)
    boxes = list(layout.boxes.values())
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            apart = abs(one.x - other.x) >= (one.width + other.width) / 2 or abs(one.y - other.y) >= 40
            assert apart


def test_an_edge_that_closes_a_loop_leads_upwards_and_the_others_do_not() -> None:
    layout = lay_out(dict.fromkeys("abc", (100.0, 40.0)), [("a", "b"), ("b", "c"), ("c", "a"), ("b", "b")])

    assert layout.loops == [("c", "a"), ("b", "b")]
    assert [layout.boxes[name].layer for name in "abc"] == [0, 1, 2]


def test_a_crossing_that_can_be_avoided_is() -> None:
    sizes = dict.fromkeys(("top", "a", "b", "x", "y"), (100.0, 40.0))

    layout = lay_out(sizes, [("top", "a"), ("top", "b"), ("a", "y"), ("b", "x")])

    assert (layout.boxes["a"].x < layout.boxes["b"].x) == (layout.boxes["y"].x < layout.boxes["x"].x)


def test_the_same_graph_is_drawn_the_same(tmp_path: Path) -> None:
    found = source(tmp_path)

    assert to_svg(build_graph([run(*ORDER, **FULL)], found)) == to_svg(build_graph([run(*ORDER, **FULL)], found))


def test_a_graph_of_a_thousand_steps_is_drawn(tmp_path: Path) -> None:
    nodes = [Node(f"s{number}", "do", f"step {number}", runs=1) for number in range(1000)]
    links = [Edge(f"s{number}", f"s{number // 2}", 1) for number in range(1, 1000)]

    assert len(ET.fromstring(to_svg(Graph("x", nodes, links))).findall(f"{SVG}path")) == 999
