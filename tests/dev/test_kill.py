"""A Worker's process that is killed at any moment: nothing that it has acknowledged is lost, nothing completed runs again.

Thirty kills of real processes, since nothing else dies as a process does; more of them by hand: `python
tests/dev/kills.py 300`. What runs in the processes is `killed_process.py`, with the Worker in `killed/`.
"""

from kills import kill_often


def test_a_process_that_is_killed_at_any_moment_loses_nothing_and_repeats_nothing(tmp_path):
    assert kill_often(tmp_path, 30, seed="ci") >= 8
