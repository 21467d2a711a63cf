"""A host for Durable Objects without a test's engine: its time moves when it is told to."""

import asyncio
import random

from pytest_workflows.standins.durable_objects import namespace_of
from pytest_workflows.standins.stores import Stores
from pytest_workflows.workers.binding_wrappers import wrap_binding


class Timer:
    def __init__(self, due, callback):
        self.due, self.callback = due, callback
        self.is_cancelled = False

    def cancel(self):
        self.is_cancelled = True


class ObjectHost:
    """What Durable Objects get of their test."""

    def __init__(self, stores=None, *, now_ms=1_700_000_000_000, flags=None):
        self.stores = stores or Stores()
        self.random = random.Random(7)
        self.now = now_ms
        self.flags = flags or {}
        self.timers = []
        self.warnings = []
        self.tasks = set()
        self.config = None

    def now_ms(self):
        return self.now

    def qualified(self, name):
        return name

    def words(self, what):
        return what

    def is_on(self, flag, since):
        return self.flags.get(flag, True)

    def timer(self, due_ms, callback, what, *, round=None):
        self.timers.append(Timer(max(due_ms, self.now), callback))
        return self.timers[-1]

    def spawn(self, work, what):
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def wait(self, awaitable, what):
        return awaitable

    def is_tests(self, error):
        return isinstance(error, KeyboardInterrupt)

    def warn(self, rule, problem):
        self.warnings.append((rule, problem))

    def env(self):
        return None

    def exports(self):
        return None

    def namespace(self, object_class):
        return wrap_binding(namespace_of(object_class, object_class.__name__, self))

    async def advance(self, seconds):
        """Let time pass; timers go off in order."""
        end = self.now + int(seconds * 1000)
        while due := [timer for timer in self.timers if not timer.is_cancelled and timer.due <= end]:
            first = min(due, key=lambda timer: timer.due)
            self.timers.remove(first)
            self.now = max(self.now, first.due)
            await first.callback()
        self.now = end
