"""Whatever is given, what goes wrong is an error of ours: nothing raw, and no warning with a traceback.

Drawn by Hypothesis, the same values in each run. `WORKFLOWS_FUZZ=50` draws fifty times as many.
"""

import copy
import io
import json
import os
import random
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

pytest.importorskip("typer")

from rich.console import Console
from typer.testing import CliRunner

from durable_engine import EngineError
from pytest_workflows.cli.app import app
from pytest_workflows.cli.commands.describe import show_recording
from pytest_workflows.cli.comparison import compare
from pytest_workflows.cli.errors import CommandError
from pytest_workflows.cli.events import read_event, read_json
from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.generating import generate
from pytest_workflows.project.worker_project import Project
from pytest_workflows.project.wrangler import load_config
from pytest_workflows.recordings import Recording, RecordingError, dump, load, parse, stats_of
from pytest_workflows.recordings.format.redaction import redact
from pytest_workflows.recordings.playback.script import RecordedScript
from pytest_workflows.reporting.coverage import measure, sources_of
from pytest_workflows.reporting.graph import build_graph, to_mermaid, to_svg
from pytest_workflows.reporting.html import Report, ReportedTest, render
from pytest_workflows.session.marker import read_marker
from pytest_workflows.session.settings import read_ini

MORE = int(os.environ.get("WORKFLOWS_FUZZ", "1"))
MUTATIONS = 2000 * MORE
SAMPLES = sorted(Path(__file__).parent.glob("recordings/samples/*.json"))
DUMPS = sorted(Path(__file__).parent.glob("recordings/dumps/*.json"))
DEEP = 20_000


def drawn(times: int) -> Callable[[Any], Any]:
    return settings(
        max_examples=times * MORE,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def expect(error: Exception, start: str) -> None:
    """An error of ours says first what it is about, and does not go on for ever."""
    assert str(error).startswith(start)
    assert len(str(error)) < 1500 + len(start), str(error)[:3000]


class Hostile:
    """Has no hash, compares to nothing, and has no repr."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("not comparable")

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __bool__(self) -> bool:
        raise RuntimeError("neither true nor false")


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


NUMBERS = st.sampled_from([10**400, -(10**400), 2**64, -1, 0, float("nan"), float("inf"), 1e308, 5e-324])
TEXTS = st.text(st.characters()) | st.sampled_from(["\0", "\ud800", "x" * 5000, "²", "٣", "'", '"', "-", "\x1b[31m"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | NUMBERS | TEXTS | st.binary() | st.datetimes()
VALUES = st.recursive(
    SCALARS | st.builds(Hostile) | st.just(nested(900)),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=6,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.just(10**400) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)

# -- marker and ini ---------------------------------------------------------------------------------------------------

KEYWORDS = [
    "now",
    "seed",
    "timeout",
    "clock",
    "step_limit",
    "unused_mocks",
    "allow_network",
    "limits",
    "crash",
    "replay",
    "ignore_rules",
    "no_such_one",
]


@drawn(200)
@given(st.sampled_from(KEYWORDS), VALUES)
@example("ignore_rules", [[]])
@example("ignore_rules", [{}])
@example("timeout", 10**400)
@example("limits", {(): 1})
def test_any_value_of_a_marker_is_taken_or_refused(name: str, value: Any) -> None:
    try:
        taken = read_marker((), {name: value}, "test_it.py::test_it")
    except pytest.UsageError as error:
        expect(error, "test_it.py::test_it: @pytest.mark.workflow")
    else:
        json.dumps(taken, default=str)  # what is taken can be recorded


@pytest.mark.parametrize("name", KEYWORDS[:-1])
def test_what_has_no_repr_is_refused(name: str) -> None:
    with pytest.raises(pytest.UsageError, match="not a whole number of 5001 digits"):
        read_marker((), {name: 10**5000}, "test_it.py::test_it")
    with pytest.raises(pytest.UsageError, match="not <Hostile, whose repr raised RuntimeError>"):
        read_marker((), {name: Hostile()}, "test_it.py::test_it")


@drawn(50)
@given(st.lists(VALUES, min_size=1))
def test_positional_arguments_of_a_marker_are_refused(values: list[Any]) -> None:
    with pytest.raises(pytest.UsageError, match="takes keywords only"):
        read_marker(tuple(values), {}, "test_it.py::test_it")


class Config:
    """What `read_ini` asks of pytest's configuration."""

    def __init__(self, rootpath: Path, name: str, value: Any) -> None:
        self.rootpath = rootpath
        self.inipath = rootpath / "pytest.ini"
        self._given = {name: value}

    def getini(self, name: str) -> Any:
        value = self._given.get(name, {"workflows_redact": [], "workflows_ignore_rules": []}.get(name, ""))
        if isinstance(value, Exception):
            raise value
        return value if value != "" or name != "workflows_strict" else False

    def getoption(self, name: str, default: Any = None) -> Any:
        return "all" if name == "workflows_record" else default


INI = [
    f"workflows_{name}"
    for name in ["config", "failures_dir", "ignore_rules", "now", "redact", "strict", "timeout", "wrangler_env"]
]


@drawn(150)
@given(st.sampled_from(INI), TEXTS | st.lists(TEXTS, max_size=2) | JSON)
@example("workflows_redact", ValueError("No closing quotation"))
@example("workflows_strict", ValueError("invalid truth value 'maybe'"))
@example("workflows_timeout", "1e400")
@example("workflows_timeout", "9" * 5000)
@example("workflows_failures_dir", "a\0b")
def test_any_value_of_an_ini_option_is_taken_or_refused(tmp_path: Path, name: str, value: Any) -> None:
    try:
        read_ini(Config(tmp_path, name, value))  # type: ignore[arg-type]  # all that it asks for
    except pytest.UsageError as error:
        expect(error, "ini option workflows_")


# -- the configuration ------------------------------------------------------------------------------------------------

GOOD = {
    "name": "shop",
    "main": "src/entry.py",
    "compatibility_date": "2026-11-10",
    "compatibility_flags": ["python_workers"],
    "vars": {"STAGE": "test"},
    "workflows": [{"binding": "ORDERS", "name": "orders", "class_name": "OrderWorkflow", "limits": {"steps": 5}}],
    "kv_namespaces": [{"binding": "CACHE", "id": "1"}],
    "queues": {"producers": [{"binding": "MAIL", "queue": "mail"}]},
    "assets": {"directory": "public"},
    "env": {"staging": {"vars": {"STAGE": "staging"}}},
}


def use_config(path: Path, environment: str | None = None) -> None:
    """Reads a configuration, and what its workflows name."""
    try:
        config = load_config(path, environment)
        project = Project(path, environment)
        assert project.folder is None or isinstance(project.folder, Path)
        for workflow in config.workflows:
            project.workflow_class(workflow)
    except WorkflowConfigError as error:
        expect(error, f"{path}:")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from places(part, (*path, key))


def put(root: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    target = root
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return root


@drawn(120)
@given(st.sampled_from(list(places(GOOD))), JSON, st.sampled_from([None, "staging", "other", "\0", "x" * 5000]))
@example(("main",), "a\0b", None)
@example(("main",), "\ud800", None)
@example(("main",), "x" * 5000, None)
@example(("main",), "x/" * 2500, None)
@example(("workflows", 0, "class_name"), "\ud800", None)
@example(("workflows", 0, "limits", "steps"), 10**400, None)
def test_any_value_in_a_configuration_is_taken_or_refused(
    tmp_path: Path, place: tuple[Any, ...], value: Any, environment: str | None
) -> None:
    path = tmp_path / "wrangler.json"
    path.write_text(json.dumps(put(copy.deepcopy(GOOD), place, value)), encoding="utf-8")
    use_config(path, environment)


@drawn(120)
@given(st.sampled_from(["wrangler.jsonc", "wrangler.toml"]), st.binary(max_size=60) | TEXTS, st.integers(0, 700))
def test_any_damage_to_a_configuration_s_text_is_told(tmp_path: Path, name: str, junk: bytes | str, at: int) -> None:
    text = json.dumps(GOOD, indent=1).encode()
    if name.endswith("toml"):
        text = b'name = "shop"\nmain = "src/entry.py"\n[[workflows]]\nbinding = "A"\nname = "a"\nclass_name = "A"\n'
    data = junk if isinstance(junk, bytes) else junk.encode("utf-8", "surrogatepass")
    path = tmp_path / name
    path.write_bytes(text[:at] + data + text[at:])
    use_config(path)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "wrangler.json",
            f'{{"vars":\n{"[" * DEEP}{"]" * DEEP}}}',
            ":2: tables and lists are nested more than 100 deep.",
        ),
        ("wrangler.jsonc", f"{'[' * DEEP}// no end", ":1: tables and lists are nested more than 100 deep."),
        (
            "wrangler.toml",
            f"a = 1\nb = {'[' * DEEP}{']' * DEEP}",
            ":2: tables and lists are nested more than 100 deep.",
        ),
        ("wrangler.json", f'{{"vars":\n{{"A":\n{"1" * 5000}}}}}', ":3: a number has thousands of digits."),
        ("wrangler.toml", f"a = 1\nb = {'1' * 5000}", ":2: a number has thousands of digits."),
        (
            "wrangler.json",
            '{"name": "a",\n"main": "\\ud800"}',
            ":2: the text '\\ud800' holds half of a surrogate pair.",
        ),
        ("wrangler.json", '{"name": "a",\n"main": "a\\u0000b"}', ":2: main is 'a\\x00b', no path: a path has no NUL"),
    ],
)
def test_what_no_parser_takes_is_told_with_its_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")

    with pytest.raises(WorkflowConfigError) as caught:
        load_config(path)

    assert said in str(caught.value)


# -- recordings -------------------------------------------------------------------------------------------------------

ODD: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        -1,
        2**63,
        2**64,
        10**400,
        1.5,
        1e300,
        -0.0,
        "",
        "x",
        "\0",
        "x" * 5000,
        [],
        {},
        [[]],
        [None],
    ),
    *("2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "2026-13-01", 1e18, "1" * 40, 4e9),
    *(
        {"$type": "bytes", "value": "é"},
        {"$type": "datetime", "value": "no"},
        {"$type": [], "value": 1},
        {"$type": "set"},
    ),
    *(
        {"$type": "set", "value": [[1]]},
        {"$type": "object", "value": [1]},
        {"$type": "array", "value": "AA==", "format": "q"},
    ),
    *({"$type": "bigint", "value": "1.5"}, {"$type": "number", "value": "x"}, {"$type": "text", "value": '"'}),
    *({"$type": "unknown"}, {"$type": "unknown", "reason": 5}, {"$type": "tuple", "value": None}, {"$type": "repr"}),
    *({"name": "Error", "message": "x"}, {"name": 5}, {"file": "a.py", "line": 0}, "do", "sleep", "errored", "waiting"),
]


def mutated(random: random.Random, sample: Any) -> Any:
    """The sample with up to three places changed, removed, doubled, or put elsewhere."""
    value = copy.deepcopy(sample)
    for _ in range(random.randint(1, 3)):
        path = random.choice(list(places(value)))
        how = random.random()
        try:
            if how < 0.6:
                value = put(value, path, copy.deepcopy(random.choice(ODD)))
            elif how < 0.8 and path:
                target = value
                for key in path[:-1]:
                    target = target[key]
                if isinstance(target, list) and how > 0.7:
                    target.append(copy.deepcopy(target[path[-1]]))
                else:
                    del target[path[-1]]
            else:
                part = value
                for key in random.choice(list(places(value))):
                    part = part[key]
                value = put(value, path, copy.deepcopy(part))
        except (KeyError, IndexError, TypeError):
            continue  # a change before took that place away
    return value


def use_recording(recording: Recording, number: int) -> None:
    """What is done with a recording without its source; one of these that take longer, in turn."""
    list(compare(recording, recording))
    stats_of([recording])
    redact(recording, ["card"])
    RecordedScript(recording=recording)
    assert parse(dump(recording), "again").steps == recording.steps
    if number % 9 == 0:
        show_recording(recording, Console(file=io.StringIO()))
    elif number % 9 == 3:
        graph = build_graph([recording], None, "ORDERS")
        to_svg(graph), to_mermaid(graph)
    elif number % 9 == 6:
        compile(generate(recording, "ORDERS"), "generated", "exec")


@pytest.mark.parametrize("path", [*SAMPLES, *DUMPS], ids=lambda path: path.stem)
def test_any_change_of_a_recording_is_read_or_refused(path: Path) -> None:
    sample = json.loads(path.read_bytes())
    draws = random.Random(path.name)
    count = MUTATIONS // (len(SAMPLES) + len(DUMPS)) + 1
    for number in range(count):
        changed = mutated(draws, sample)
        data = json.dumps(changed).encode()
        if number % 10 == 0:
            at = draws.randrange(len(data))
            data = data[:at] + bytes(draws.randrange(256) for _ in range(draws.randrange(3))) + data[at + 1 :]
        try:
            recording = parse(data, "changed.json")
        except RecordingError as error:
            expect(error, "changed.json")
            continue
        try:
            use_recording(recording, number)
        except (EngineError, CommandError):
            pass
        except Exception as error:
            error.add_note(f"number {number} of {path.name}: {data.decode('utf-8', 'replace')}")
            raise


@pytest.mark.parametrize(
    "data",
    [
        b"[" * DEEP + b"]" * DEEP,
        b'{"params": ' * DEEP + b"1" + b"}" * DEEP,
        b'{"id": "a", "status": "complete", "params": ' + b"[" * 500 + b"]" * 500 + b"}",
        b"1" * 5000,
        b'{"id": "a", "status": ' + b"1" * 5000 + b"}",
        b'"\\ud800"',
        b"\xff\xfe",
        b"",
    ],
    ids=range(8),
)
def test_what_is_no_recording_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(data)

    with pytest.raises(RecordingError, match=r"a\.json"):
        load(path)


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000, "\ud800", "no/such/file.json", "."])
def test_what_is_no_path_of_a_recording_is_refused(path: str) -> None:
    with pytest.raises(RecordingError, match="the recording cannot be read: "):
        load(path)


# -- the command line -------------------------------------------------------------------------------------------------

ARGUMENTS = TEXTS | st.sampled_from(["-", ".", "latest", "a\0b", "x" * 5000, "--", "-o", "--json", "--id", "[" * DEEP])
COMMANDS = ["describe", "diff", "codegen", "stats", "graph", "reproduce", "run", "list"]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n", encoding="utf-8")
    return folder


def command(arguments: list[str], stdin: bytes = b"") -> Any:
    result = CliRunner().invoke(app, arguments, input=stdin, prog_name="pytest-workflows")
    if result.exit_code not in (0, 1, 2, 3):
        raise AssertionError(f"{arguments!r}: {result.exit_code}: {result.output} {result.exception!r}")
    return result


@drawn(25)
@given(st.sampled_from(COMMANDS[:4]), st.lists(ARGUMENTS, max_size=3), st.binary(max_size=30))
def test_any_argument_of_the_command_is_taken_or_refused(
    empty: Path, monkeypatch: pytest.MonkeyPatch, name: str, arguments: list[str], stdin: bytes
) -> None:
    monkeypatch.chdir(empty)
    command([name, *arguments], stdin)


@pytest.mark.parametrize("arguments", [
    ["run", "--params", "1" * 5000],
    ["run", "--params", "[" * DEEP],
    ["run", "--params", "[" * 500 + "]" * 500],
    ["run", "--event", "a=" + "1" * 5000],
    ["run", "--event", "a=" + "[" * DEEP],
    ["run", "--event", f"a=1@{'9' * 400} days"],
    ["run", "--now", "x" * 5000],
    ["run", "--config", "a\0b"],
    ["list", "--config", "x" * 5000],
    ["check", "--config", "a\0b"],
    ["graph", "-o", "g.png"],
    ["graph", "-o", "a\0b.svg"],
    ["stats", "x" * 5000],
    ["reproduce", "x" * 5000],
    ["codegen", "a\0b"],
], ids=lambda words: " ".join(word[:12] for word in words))  # fmt: skip
def test_what_the_command_cannot_take_is_one_line_and_a_hint(
    empty: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(empty)

    result = command(arguments)

    assert result.exit_code in (2, 3)
    assert result.stderr.startswith("Error: ")
    assert "\nHint: " in result.stderr
    assert len(result.stderr) < 1000


@drawn(150)
@given(TEXTS | st.builds(lambda value: json.dumps(value), JSON))
def test_any_params_and_events_are_taken_or_refused(text: str) -> None:
    for read in (lambda: read_json(text, "--params"), lambda: read_event(text), lambda: read_event(f"a={text}@1 day")):
        try:
            read()
        except CommandError as error:
            expect(error, "--")


# -- the page ---------------------------------------------------------------------------------------------------------


def test_any_change_of_a_recording_that_is_read_can_be_shown_on_a_page(tmp_path: Path) -> None:
    draws = random.Random("page")
    kept = []
    for path in [*SAMPLES, *DUMPS]:
        sample = json.loads(path.read_bytes())
        for _ in range(3 * MORE):
            try:
                kept.append(parse(json.dumps(mutated(draws, sample)).encode(), "changed.json"))
            except RecordingError:
                continue
    coverage = measure(kept, [], sources_of(tmp_path), tmp_path)

    text = render(Report(tmp_path, [ReportedTest("test_it.py::test_it", recordings=kept)], coverage))

    assert len(kept) > 20
    assert "</html>" in text
