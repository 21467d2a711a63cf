"""`pytest-workflows diff`: where two runs part."""

import json

from .conftest import text


def test_two_runs_that_part(cli, dumps):
    ended = cli("diff", dumps / "complete.json", dumps / "errored.json")

    assert ended.code == 1
    assert ended.out.partition("\n\n")[2] == text("""
          params
          step check stock-1
        ~ step charge card-1
            outcome
              A:  complete: {"charge": "ch_81"}
              B:  failed: RuntimeError: the bank answered 503
            attempts
              A:  3 (RuntimeError: the bank answered 503; RuntimeError: the bank
                  answered 503; success)
              B:  3 (RuntimeError: the bank answered 503; RuntimeError: the bank
                  answered 503; RuntimeError: the bank answered 503)
        - sleep cool down-1: complete
        - wait for event approval-1: complete: {"by": "grace"}
        - step ship-2026-1: complete: "parcel 55"
        ~ the end
            status
              A:  complete
              B:  errored
            result
              A:  {"approved_by": "grace", "parcel": "parcel 55", "status": "shipped"}
              B:  RuntimeError: the bank answered 503

        5 differences.
        """)


def test_a_run_and_itself(cli, dumps):
    ended = cli("diff", dumps / "complete.json", dumps / "complete.json")

    assert ended.code == 0
    assert ended.lines[-1] == "The runs are the same."


def test_what_is_not_known_is_no_difference(cli, dumps):
    ended = cli("diff", dumps / "errored.json", dumps / "truncated.json")

    assert "? step check stock-1" in ended.lines
    assert "      B:  complete: unknown: the output of step 'check stock-1' was cut short by" in ended.lines
    assert ended.lines[-1] == "2 differences. 1 cannot be compared: one of the two is not known."


def test_what_is_redacted_in_one_of_the_two_is_no_difference(cli, dumps, tmp_path):
    complete, errored = (dumps / "complete.json").read_text(), (dumps / "errored.json").read_text()
    (tmp_path / "complete.json").write_text(complete.replace("tok_visa", "[REDACTED]").replace("503", "[REDACTED]"))
    (tmp_path / "errored.json").write_text(errored.replace("the bank", "[REDACTED]"))

    assert cli("diff", dumps / "complete.json", tmp_path / "complete.json").lines[-1] == (
        "No differences. 2 cannot be compared: one of the two is not known."
    )
    assert cli("diff", dumps / "errored.json", tmp_path / "errored.json").code == 0


def test_what_is_known_is_compared_beside_what_is_not(cli, dumps, tmp_path):
    changed = (dumps / "complete.json").read_text().replace('"sku": "tea"', '"sku": "[REDACTED]"')
    (tmp_path / "a.json").write_text(changed.replace('"amount": 1250', '"amount": 1'))

    assert "~ params" in cli("diff", dumps / "complete.json", tmp_path / "a.json").lines


def test_a_step_of_which_is_not_known_what_became_of_it_is_no_difference(cli, dumps, tmp_path):
    dump = json.loads((dumps / "complete.json").read_text())
    step = dump.get("result", dump)["steps"][0]
    for name in ("success", "end", "attempts", "output"):
        del step[name]
    (tmp_path / "dump.json").write_text(json.dumps(dump))
    ended = cli("diff", dumps / "complete.json", tmp_path / "dump.json")

    assert ended.code == 0
    assert "? step check stock-1" in ended.out


def test_when_things_happened_is_not_compared(cli, dumps, tmp_path):
    moved = (dumps / "complete.json").read_text().replace("2026-03", "2027-05")
    (tmp_path / "moved.json").write_text(moved.replace("ch_81", "ch_82"))

    assert cli("diff", dumps / "complete.json", tmp_path / "moved.json").lines[-1] == "1 difference."


def test_a_step_that_is_new(cli, dumps):
    ended = cli("diff", dumps / "sleeping.json", dumps / "waiting.json")

    assert "~ sleep cool down-1" in ended.lines
    assert "+ wait for event approval-1: waiting" in ended.lines
