"""Seeds: functions that fill the Worker's stores once a process, of which every test gets a copy."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflows import active_test
from pytest_workflows.introspection import freeze
from pytest_workflows.messages.short_repr import shown

if TYPE_CHECKING:
    from durable_engine import Engine
    from pytest_workflows.bindings.seed_env import SeedEnv
    from pytest_workflows.standins.stores import Stores

    from .run_setup import RunSetup

FIXTURE = "workflow_seed"


class Seeds:
    """What the seeds of a session have left, by seed.

    Args:
        freezer: Gives the freezer, which shows virtual time to user code.
        now: Gives where the virtual clock starts by ini, whatever a marker says; None for the real time.
    """

    def __init__(self, freezer: Callable[[], freeze.Freezer], now: Callable[[], str | datetime | None]) -> None:
        self._freezer = freezer
        self._now = now
        self._left: dict[tuple[object, ...], Stores] = {}

    def left_by(self, seed: object, setup: RunSetup, given: Mapping[str, Any]) -> Stores | None:
        """What a seed has left; it runs if it has not run in this process.

        Args:
            seed: The value of the fixture `workflow_seed`.
            setup: The run of the test that needs it.
            given: The bindings of the fixture `workflow_bindings`, of which a seed sees the classes.

        Returns:
            The stores, to be copied; None where there is no seed.

        Raises:
            pytest.UsageError: If the value is no async function.
        """
        __tracebackhide__ = True
        if seed is None:
            return None
        if not callable(seed) or not inspect.iscoroutinefunction(_function_of(seed)):
            raise pytest.UsageError(
                f"The fixture {FIXTURE} returns an async function that takes `env`, or None, not {shown(seed)}."
            )
        classes = {name: value for name, value in given.items() if isinstance(value, type)}
        key = (_code_of(seed), _params_of(setup.item), setup.project, *classes.items())
        if key not in self._left:
            self._left[key] = self._run(seed, setup, classes)
        return self._left[key]

    def _run(self, seed: Callable[..., Any], setup: RunSetup, classes: Mapping[str, Any]) -> Stores:
        __tracebackhide__ = True
        from durable_engine import Engine, read_now, to_datetime
        from pytest_workflows.bindings.seed_env import SeedEnv

        now = self._now()
        at = to_datetime(freeze.real_seconds() * 1000 if now is None else read_now(now))
        engine = Engine(now=at, seed=FIXTURE, root=setup.rootdir)
        env = SeedEnv(
            setup.project,
            lambda: setup.sources,
            lambda: engine,
            ask_given=lambda: classes,
            registry=setup.registry,
        )
        freezer = self._freezer()
        before = freezer.now
        freezer.start(at)
        try:
            with ThreadPoolExecutor(1, thread_name_prefix=FIXTURE) as pool:  # no event loop runs there
                pool.submit(_filled, seed, env, engine).result()
            stores = env.host.stores
            env.leave_stores()
            return stores
        finally:
            engine.close()
            engine.stopped_tasks.close()
            if before is None:
                freezer.stop()
            else:
                freezer.start(before)


def _filled(seed: Callable[..., Any], env: SeedEnv, engine: Engine) -> None:
    """Run a seed to its end, with `workers.env` as it shall see it."""
    from pytest_workflows.standins.entropy import draw_from_seed, stop_drawing
    from pytest_workflows.workers import env as proxy

    async def fill() -> None:
        assert engine.loop
        await env.host.spawn(seed(proxy), f"The function of the fixture {FIXTURE}")

    resolver = active_test.set_resolver(env.resolve, env.names)
    draw_from_seed(engine)
    try:
        asyncio.run(fill())
    finally:
        stop_drawing(engine)
        active_test.set_resolver(*(resolver or (None,)))


def _function_of(seed: Any) -> Any:
    """The function that a seed calls: of a partial, a method, an object that can be called."""
    while (inner := getattr(seed, "func", None) or getattr(seed, "__func__", None)) is not None:
        seed = inner
    return seed if hasattr(seed, "__code__") else type(seed).__call__


def _code_of(seed: object) -> object:
    return getattr(_function_of(seed), "__code__", seed)


def _params_of(item: pytest.Item) -> object:
    """The parameter of the fixture, where it has some."""
    callspec = getattr(item, "callspec", None)
    if callspec is None or FIXTURE not in callspec.params:
        return None
    param = callspec.params[FIXTURE]
    try:
        hash(param)
    except TypeError:
        return callspec.indices[FIXTURE]
    return param
