"""The examples' tests notice each mistake that the engine could have: most of them only where it is made to crash."""

import contextlib
from pathlib import Path

import pytest

from tests.mutation.mutants import MUTANTS, broken

ROOT = Path(__file__).resolve().parents[2]
EXPLORED = ("--workflows-crash",)
ORDINARY = ()

CART = "cart_reminder/tests/test_cart_reminder.py"
EMBEDDINGS = "embeddings/tests/test_embeddings.py"
NIGHTLY = "nightly_restart/tests/test_nightly_restart.py"
ORDERS = "orders/tests/test_orders.py"
RACE = "payment_race/tests/test_payment_race.py"
REVIEW = "code_review/tests/test_code_review.py"
TRAINING = "training_loop/tests/test_training_loop.py"
TWO_WAITS = "../tests/mutation/two_waits/tests/test_two_waits.py"

NOTICED_BY = {
    "forgets_to_store_a_result": (f"{EMBEDDINGS}::test_after_a_crash_only_what_is_missing_is_done", ORDINARY),
    "forgets_a_stored_failure": (f"{ORDERS}::test_a_crash_between_two_compensations_repeats_neither", ORDINARY),
    "forgets_how_often_an_attempt_has_failed": (
        f"{TRAINING}::test_a_round_that_never_works_ends_the_training",
        EXPLORED,
    ),
    "a_restart_keeps_what_was_stored": (f"{NIGHTLY}::test_at_night_only_what_ended_with_an_error_runs_again", ORDINARY),
    "runs_a_finished_step_again": (f"{RACE}::test_the_second_payment_is_given_back", EXPLORED),
    "knows_steps_by_their_name_alone": (f"{TRAINING}::test_a_round_that_made_it_worse_halves_the_rate", ORDINARY),
    "runs_a_dependency_for_each_step_that_needs_it": (
        f"{EMBEDDINGS}::test_the_text_is_extracted_once_for_both_who_need_it",
        ORDINARY,
    ),
    "delivers_an_event_twice": (f"{TWO_WAITS}::test_each_event_is_taken_once_and_in_order", ORDINARY),
    "delivers_the_newest_event_first": (f"{TWO_WAITS}::test_each_event_is_taken_once_and_in_order", ORDINARY),
    "loses_kept_events_in_a_crash": (f"{REVIEW}::test_a_decision_that_came_early_is_kept", EXPLORED),
    "loses_the_timer_of_a_sleep_in_a_crash": (f"{CART}::test_who_left_a_cart_is_reminded_after_three_days", EXPLORED),
    "sleeps_from_the_start_after_a_crash": (f"{CART}::test_who_left_a_cart_is_reminded_after_three_days", EXPLORED),
    "waits_from_the_start_after_a_crash": (f"{RACE}::test_nobody_pays", EXPLORED),
    "forgets_a_retry_delay_in_a_crash": (f"{TRAINING}::test_a_round_that_never_works_ends_the_training", EXPLORED),
    "a_lost_attempt_ends_the_step": (f"{CART}::test_who_left_a_cart_is_reminded_after_three_days", EXPLORED),
    "a_lost_attempt_counts_for_nothing": (
        f"{ORDERS}::test_a_crash_in_the_middle_of_a_refund_repeats_only_the_refund",
        ORDINARY,
    ),
    "the_old_life_runs_on": (f"{CART}::test_a_crash_during_the_sleep_does_not_make_it_longer", ORDINARY),
}


def split(test):
    """The example, and the test in it."""
    project, _, rest = test.partition("/")
    return project, rest


def run(sessions, project, tests, options, mutant=None):
    with contextlib.nullcontext() if mutant is None else broken(mutant):
        return sessions.run(ROOT / "examples" / project, "-q", "--tb=line", "-p", "no:cacheprovider", *options, *tests)


def test_every_mutant_has_a_test_that_is_to_notice_it():
    assert NOTICED_BY.keys() == MUTANTS.keys()


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_mistake_is_noticed(mutant, sessions):
    test, options = NOTICED_BY[mutant]

    project, test = split(test)
    done = run(sessions, project, [test], options, mutant)

    assert done.ret == pytest.ExitCode.TESTS_FAILED, done.stdout.str()
    failed = [line for line in done.outlines if line.startswith("FAILED")]
    assert failed, done.stdout.str()
    assert all(test.rpartition("::")[2] in line for line in failed)
    # Where it takes exploration: without a crash, nobody notices anything.
    assert all("[crash: " in line for line in failed) == bool(options), done.stdout.str()


@pytest.mark.parametrize("project", sorted({split(test)[0] for test, _ in NOTICED_BY.values()}))
def test_an_engine_without_mistakes_passes(project, sessions):
    tests = {split(test)[1] for test, _ in NOTICED_BY.values() if split(test)[0] == project}

    done = run(sessions, project, sorted(tests), EXPLORED)  # which runs each as it is first

    assert done.ret == pytest.ExitCode.OK, done.stdout.str()
