"""What keeps the answers of a served Worker quick, and is as it was afterwards."""

import gc
import socket
import sys

import pytest

from pytest_workflows.dev.interpreter import SWITCH, THRESHOLDS, serving
from pytest_workflows.dev.ports import bind


def test_threads_take_turns_soon_and_the_collector_is_seldom_felt_while_a_worker_is_served():
    before = sys.getswitchinterval(), gc.get_threshold()
    with serving():
        assert sys.getswitchinterval() == pytest.approx(SWITCH)
        assert gc.get_threshold()[:2] == THRESHOLDS[:2]
        assert gc.get_freeze_count()

    assert (sys.getswitchinterval(), gc.get_threshold()) == before


def test_a_port_sends_what_is_small_at_once():
    listener = bind("127.0.0.1", 0)
    try:
        with socket.create_connection(listener.getsockname()):
            connection, _ = listener.accept()
            with connection:
                # asyncio sets TCP_NODELAY on sockets of this protocol alone.
                assert connection.proto == socket.IPPROTO_TCP
    finally:
        listener.close()
