"""What is found in a workflow's source without running it."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from pytest_workflows.sources import SourceStep, SourceWorkflow, family, find_class_steps, find_steps

HEAD = "from workers import WorkflowEntrypoint\n\n\nclass Flow(WorkflowEntrypoint):\n    async def run(self, event, step):\n"


def find(tmp_path: Path, body: str, more: str = "") -> SourceWorkflow:
    """The steps of a `run` with this body."""
    path = tmp_path / "entry.py"
    text = HEAD + textwrap.indent(textwrap.dedent(body).strip("\n"), " " * 8) + "\n" + more
    path.write_text(text, encoding="utf-8")
    found = find_steps(path, "Flow")
    assert found is not None
    return found


def names(found: SourceWorkflow) -> list[str]:
    return [step.name.text for step in found.steps]


def after(found: SourceWorkflow) -> dict[str, list[str]]:
    """Which steps may come right before which."""
    known = [*names(found), "start"]  # START is -1
    return {step.name.text: [known[index] for index in step.after] for step in found.steps}


def do(name: str, indent: int = 0) -> str:
    """A step that is declared and called."""
    function = name.replace(" ", "_")
    lines = [f'@step.do("{name}")', f"async def {function}():", "    pass", f"await {function}()"]
    return "\n".join(" " * indent + line for line in lines) + "\n"


# -- which steps there are --------------------------------------------------------------------------------------------


def test_steps_of_all_kinds_are_found_with_their_lines(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        """
        @step.do("charge", config={})
        async def charge():
            return 1

        await charge()
        await step.sleep("nap", "1 day")
        await step.sleep_until("until then", event["payload"])
        await step.wait_for_event("approval", "approved")
        """,
    )

    assert [(step.kind, step.name.text, step.line, step.function) for step in found.steps] == [
        ("do", "charge", 6, "charge"),
        ("sleep", "nap", 11, None),
        ("sleep", "until then", 12, None),
        ("wait_for_event", "approval", 13, None),
    ]


def test_a_step_without_a_name_is_called_as_its_function(tmp_path: Path) -> None:
    found = find(tmp_path, "@step.do()\nasync def charge():\n    pass\n\nawait charge()")

    assert names(found) == ["charge"]


@pytest.mark.parametrize(
    ("written", "text", "matching", "other"),
    [
        ('f"upload {file}"', "upload {file}", "upload a.txt", "download a.txt"),
        ('f"box {n + 1} of {total}"', "box {n + 1} of {total}", "box 2 of 3", "box 2"),
        ('"upload " + file', "upload {file}", "upload a.txt", "a.txt"),
        ('"box %d of %d" % (n, total)', "box {%d} of {%d}", "box 2 of 3", "box"),
        ('"box {} of {total}".format(n, total=3)', "box {...} of {total}", "box 2 of 3", "box"),
        ("name", "{name}", "anything", None),
        ("NAME", "the constant", "the constant", "NAME"),
        ('f"{NAME}!"', "the constant!", "the constant!", "constant"),
        ("self.LABEL", "of the class", "of the class", "LABEL"),
    ],
)
def test_a_name_that_is_made_becomes_a_pattern(
    tmp_path: Path, written: str, text: str, matching: str, other: str | None
) -> None:
    more = '\n    LABEL = "of the class"\n\n\nNAME = "the constant"\n'
    found = find(tmp_path, f'await step.sleep({written}, "1 day")', more)

    (step,) = found.steps
    assert step.name.text == text
    assert step.name.matches(matching)
    assert other is None or not step.name.matches(other)


def test_of_two_places_that_fit_a_name_the_one_that_knows_more_is_meant(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        """
        await step.sleep(name, "1 day")
        await step.sleep(f"wait {n}", "1 day")
        await step.sleep("wait 7", "1 day")
        """,
    )

    assert [found.find("sleep", name) for name in ("wait 7", "wait 8", "other")] == [2, 1, 0]
    assert found.find("do", "wait 7") is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("box 1", "box {...}"),
        ("v1.2.3", "v{...}"),
        ("id 0f8fad5b-d9cb-469f-a165-70867728950e", "id {...}"),
        ("charge card", "charge card"),
    ],
)
def test_names_that_differ_in_numbers_are_one_family(name: str, expected: str) -> None:
    assert family(name) == expected


def test_steps_in_helpers_of_the_class_of_its_bases_and_of_other_files_are_found(tmp_path: Path) -> None:
    (tmp_path / "steps.py").write_text('async def notify(step):\n    await step.sleep("in a file", "1 day")\n')
    path = tmp_path / "entry.py"
    path.write_text(
        textwrap.dedent("""
            from steps import notify


            class Base:
                async def _base(self, step):
                    await step.sleep("in the base", "1 day")


            class Flow(Base):
                async def run(self, event, step):
                    await self._own(step, "given")
                    await self._base(step)
                    await notify(step)

                async def _own(self, the_step, name):
                    await the_step.sleep(name, "1 day")
        """)
    )

    found = find_steps(path, "Flow")

    assert found is not None
    assert after(found) == {"given": ["start"], "in the base": ["given"], "in a file": ["in the base"]}
    assert Path(found.steps[2].file).name == "steps.py"


def test_a_step_that_nothing_is_seen_to_call_is_found_without_a_place_in_the_order(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        """
        await getattr(self, event["payload"])(step)
        """,
        '\n    async def later(self, step):\n        await step.sleep("later", "1 day")\n',
    )

    assert after(found) == {"later": []}


def test_a_class_in_a_function_is_found_by_its_qualified_name() -> None:
    class Flow:
        async def run(self, event: object, step: object) -> None:
            await step.sleep("inside", "1 day")  # type: ignore[attr-defined]

    found = find_class_steps(Flow)

    assert found is not None
    assert names(found) == ["inside"]


@pytest.mark.parametrize("text", ["def broken(:", "", "class Flow:\n    pass\n", "\0"])
def test_what_cannot_be_read_has_no_steps(tmp_path: Path, text: str) -> None:
    path = tmp_path / "entry.py"
    path.write_text(text)

    assert find_steps(path, "Flow") is None
    assert find_steps(tmp_path / "missing.py", "Flow") is None
    assert find_class_steps(int) is None


# -- which may follow which -------------------------------------------------------------------------------------------


def test_branches_start_from_the_same_step_and_meet_again(tmp_path: Path) -> None:
    body = do("a") + "if event:\n" + do("b", 4) + "else:\n" + do("c", 4) + do("d")

    found = find(tmp_path, body)

    assert after(found) == {"a": ["start"], "b": ["a"], "c": ["a"], "d": ["b", "c"]}
    assert found.ends == (3,)


def test_a_branch_without_an_else_may_be_left_out_and_one_that_returns_ends(tmp_path: Path) -> None:
    body = do("a") + "if event:\n" + do("b", 4) + "    return 1\n" + do("c")

    found = find(tmp_path, body)

    assert after(found) == {"a": ["start"], "b": ["a"], "c": ["a"]}
    assert found.ends == (2, 1)


def test_a_handler_may_follow_any_step_of_its_try(tmp_path: Path) -> None:
    body = "try:\n" + do("a", 4) + do("b", 4) + "except Exception:\n" + do("undo", 4) + "finally:\n" + do("close", 4)

    assert after(find(tmp_path, body)) == {
        "a": ["start"],
        "b": ["a"],
        "undo": ["a", "b"],
        "close": ["a", "b", "undo"],
    }


def test_the_end_of_a_loop_leads_to_its_beginning(tmp_path: Path) -> None:
    body = "while True:\n" + do("a", 4) + "    if event:\n        break\n" + do("b", 4) + do("c")

    assert after(find(tmp_path, body)) == {"a": ["start", "b"], "b": ["a"], "c": ["a"]}


def test_cases_of_a_match_are_branches(tmp_path: Path) -> None:
    body = "match event:\n    case 1:\n" + do("a", 8) + "    case _:\n" + do("b", 8) + do("c")

    assert after(find(tmp_path, body)) == {"a": ["start"], "b": ["start"], "c": ["a", "b"]}


def test_steps_that_are_gathered_run_side_by_side(tmp_path: Path) -> None:
    body = '@step.do("a")\ndef a(): pass\n@step.do("b")\ndef b(): pass\nawait asyncio.gather(a(), b())\n' + do("c")

    assert after(find(tmp_path, body)) == {"a": ["start"], "b": ["start"], "c": ["a", "b"]}


def test_tasks_run_side_by_side_until_something_is_awaited(tmp_path: Path) -> None:
    body = """
        one = asyncio.create_task(step.wait_for_event("one", "x"))
        two = asyncio.create_task(step.wait_for_event("two", "x"))
        await one
        await step.sleep("then", "1 day")
    """

    assert after(find(tmp_path, body)) == {"one": ["start"], "two": ["start"], "then": ["one", "two"]}


def test_a_dependency_runs_before_whoever_takes_its_result(tmp_path: Path) -> None:
    body = """
        @step.do()
        async def a():
            pass

        @step.do()
        async def b():
            pass

        @step.do("sum")
        async def total(a, b, ctx):
            return a + b

        await total()
    """
    found = find(tmp_path, body)

    assert after(found) == {"a": ["start"], "b": ["start"], "sum": ["a", "b"]}
    assert found.steps[2].depends == (0, 1)


def test_dependencies_listed_in_depends_are_found_too(tmp_path: Path) -> None:
    body = """
        @step.do("first")
        async def a():
            pass

        @step.do("sum", depends=[a])
        async def total(x):
            return x

        await total()
    """
    found = find(tmp_path, body)

    assert [step.depends for step in found.steps] == [(), (0,)]


def test_a_function_that_is_made_a_step_where_it_is_called_is_found(tmp_path: Path) -> None:
    found = find(tmp_path, 'await step.do("charge")(self._charge)()\nship = step.do("ship")(lambda: 1)\nawait ship()')

    assert after(found) == {"charge": ["start"], "ship": ["charge"]}


def test_steps_in_a_callback_follow_what_came_before_it(tmp_path: Path) -> None:
    body = """
        @step.do("outer")
        async def outer():
            await step.sleep("inner", "1 day")

        await outer()
        await step.sleep("then", "1 day")
    """

    assert after(find(tmp_path, body)) == {"outer": ["start"], "inner": ["start"], "then": ["outer", "inner"]}


def test_a_method_that_calls_itself_is_walked_once(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        "await self.again(step)",
        '\n    async def again(self, step):\n        await step.sleep("nap", "1 day")\n        await self.again(step)\n',
    )

    assert after(found) == {"nap": ["start"]}


def test_every_step_of_every_example_has_a_place_in_the_order() -> None:
    for entry in sorted(Path(__file__).parents[2].glob("examples/**/src/entry.py")):
        text = entry.read_text(encoding="utf-8")
        names = [line.split("(")[0].split()[1] for line in text.splitlines() if "(WorkflowEntrypoint)" in line]
        for name in names:
            found = find_steps(entry, name)
            assert found is not None
            lost: list[SourceStep] = [step for step in found.steps if not step.after]
            assert found.steps
            assert lost == [], entry
