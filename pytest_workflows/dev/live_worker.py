"""The Worker that is served: its engine and bindings on one event loop, in the version that was deployed last."""

from __future__ import annotations

import asyncio
import linecache
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from durable_engine import Engine, Limits, StoreError
from durable_engine.storage.disk import DiskStore
from pytest_workflows import active_test
from pytest_workflows.bindings.config_checks import ConfigChecks
from pytest_workflows.bindings.env_resolver import EnvResolver
from pytest_workflows.bindings.http_clients import http_clients
from pytest_workflows.bindings.resuming import resume
from pytest_workflows.bindings.unprovided import UseNoter
from pytest_workflows.control_plane.handlers import call_fetch, fire_cron
from pytest_workflows.errors import UnprovidedError, WorkflowConfigError
from pytest_workflows.project.plans import PLANS, limits_of
from pytest_workflows.sources.worker_code import Sources
from pytest_workflows.standins.keeping import Keeper

from .deployed_project import DeployedProjects, put_in_place
from .failures import Failures
from .in_flight import Divergence, Flights
from .problems import problem_text, traceback_text
from .refusals import Refusals
from .repository import Repository
from .shown_time import ShownTime, real_clock
from .state_folder import STORE
from .versions import Versions, source_of

if TYPE_CHECKING:
    from pytest_workflows.control_plane.served import Fired, Version
    from pytest_workflows.project.worker_project import Project
    from pytest_workflows.workers import Request, Response

    from .settings import DevSettings


class LiveWorker:
    """A Worker in real time, with its instances on disk (`control_plane.served.Served`).

    All of it happens on the event loop that runs where it is opened.

    Args:
        settings: What the process is started with.
        versions: The versions that there were.
        notify: Called with each divergence.
        failed: Called with a text on each instance and each call of the fetch handler that fails.

    Attributes:
        engine: Its engine.
        env: Its bindings.
        loop: The event loop.
        is_live: True: time is real.
    """

    is_live = True

    def __init__(
        self,
        settings: DevSettings,
        versions: Versions,
        notify: Callable[[Divergence], None] = lambda found: None,
        failed: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._settings = settings
        self._versions = versions
        self._notify = notify
        self._failed = failed
        self._latest: list[Project] = []
        self._refusals = Refusals(self.projects, failed, str(settings.rootdir))
        self.engine: Engine
        self.env: EnvResolver
        self.loop: asyncio.AbstractEventLoop

    async def open(self) -> None:
        """Import the Worker and bind its workflows; no instance runs yet.

        Raises:
            WorkflowConfigError: If the configuration, the secrets or the classes are not as they must be.
            Exception: What the Worker's main module raises while it is imported.
        """
        self.loop = asyncio.get_running_loop()
        async with AsyncExitStack() as stack:
            await self._open(stack)
            self._closing = stack.pop_all()

    async def _open(self, stack: AsyncExitStack) -> None:
        self._refusals.start()
        stack.callback(self._refusals.stop)
        repository = Repository(self._settings, self._refusals.watch)
        put_in_place(repository.own)
        self._projects = DeployedProjects(repository.registry)
        self._own = self._projects.of(repository.own)
        stack.callback(lambda: self._own.deployed.deactivate())
        self._check_state(repository.own)
        # Before it is imported: what is written from now on is another version.
        self._latest = repository.reachable()
        source = self._source_of(self._latest)
        repository.check()
        # The store has the folder's lock: nothing else of the folder is read, or migrated, before it is open.
        self._store = await DiskStore.open(self._settings.state / STORE)
        async with AsyncExitStack() as until_made:
            until_made.push_async_callback(self._store.aclose)
            self._keeper = Keeper.open(self._settings.state)
            stack.callback(self._keeper.close)
            self._make_engine(repository.own)
            self._make_env(repository.own)
            until_made.pop_all()
        stack.push_async_callback(self._end)
        self._serve_env(stack)
        self.env.workflows.bind_all()
        ConfigChecks().check(self._own.as_project(), self.env)
        number = self._versions.number
        self._is_changed = number not in (0, self._versions.good(source, _now()).number)

    def _check_state(self, own: Project) -> None:
        """Refuse the folder of the source: each result on disk would be a change of it."""
        if own.folder == self._settings.state:
            raise WorkflowConfigError(
                f"the state cannot be kept in {own.folder}, which is the folder of main, {own.config.main}: each "
                "change of it would be one of the source. Give a folder for it alone: --state FOLDER."
            )

    def _make_engine(self, project: Project) -> None:
        limits: dict[str, Any] = limits_of(PLANS[self._settings.plan], project.config.limits)
        clock = real_clock()
        self._shown_time = ShownTime(clock)
        self.engine = Engine(
            store=self._store,
            clock=clock,
            limits=Limits(**limits),
            root=self._settings.rootdir,
            unprovided=(UnprovidedError,),
        )
        self._shown_time.start()
        assert self.engine.loop is self.loop
        self._flights = Flights(self.engine, self._settings.rootdir, self._notify)
        self.engine.observers.add(self._flights)
        self.engine.observers.add(Failures(self._failed))

    def _make_env(self, project: Project) -> None:
        self._sources = Sources(project.folder)
        self._noter = UseNoter(self._sources, self._settings.rootdir, lambda error: None)
        self.env = EnvResolver(
            self._own.as_project(),
            lambda: self._sources,
            lambda: self.engine,
            is_strict=False,
            registry=self._projects.as_registry(),
            keeper=self._keeper,
        )

    def _serve_env(self, stack: AsyncExitStack) -> None:
        """Let the Worker's code have its `env`, and the network."""
        before = active_test.set_resolver(self.env.resolve, self.env.names)
        stack.callback(lambda: active_test.set_resolver(*(before or (None,))))
        stack.callback(active_test.set_network, active_test.set_network(True))
        # Clients that block (requests, urllib) would hold up everything: as on the platform, theirs are fetches.
        stack.callback(active_test.set_uses, active_test.set_uses(self._noter))
        http_clients.enter(self._noter)
        stack.callback(http_clients.leave, self._noter)

    async def start(self) -> None:
        """Let instances run: those of the process before go on, and so do its alarms and queues."""
        resume(self.env, self._keeper)
        if self._is_changed:
            self._flights.before_recovery(self._versions.number)
        self.engine.recover()

    async def close(self) -> None:
        """Stop everything; what is on disk stays there.

        Raises:
            StoreError: If the last changes cannot be written.
        """
        await self._closing.aclose()

    async def _end(self) -> None:
        """Stop the engine, and let its store write what is left."""
        from pytest_workflows.workers.context import cancel_background

        self.engine.stop()
        self._shown_time.stop()
        cancel_background()
        try:
            await self._store.aclose()
        finally:
            self.engine.close()
            self.env.close()
            self.engine.stopped_tasks.close()

    # -- what is served ------------------------------------------------------------------------------------------------

    @property
    def versions(self) -> Sequence[Version]:
        """The versions of the source, the oldest first; the last one without a problem runs."""
        return self._versions.all

    @property
    def running_version(self) -> int:
        """The number of the version that runs."""
        return self._versions.number

    def projects(self) -> list[Project]:
        """The projects whose sources are served."""
        return [one.deployed for one in self._projects]

    def watched(self) -> list[Project]:
        """Those whose changes are deployed: also of a version that was refused, which is corrected where it lies."""
        return [*self.projects(), *self._latest]

    @property
    def problem(self) -> str | None:
        """What is wrong with where everything is kept, in words; None where nothing is."""
        return self._store.problem or self._keeper.problem

    @property
    def divergences(self) -> Sequence[Divergence]:
        """The instances that went another way after a deploy, the oldest first."""
        return self._flights.divergences

    async def fetch(self, request: Request) -> Response:
        """Call the Worker's fetch handler; what it raises is told on the terminal as well."""
        try:
            return await call_fetch(self.env, request)
        except StoreError:
            raise  # the store has said so
        except Exception as error:
            self._failed(f"the fetch handler failed:\n{traceback_text(error, self._settings)}")
            raise

    async def scheduled(self, cron: str, scheduled_time: float) -> Fired:
        """Fire a cron trigger."""
        return await fire_cron(self.env, self.engine, cron, scheduled_time)

    # -- deploys -------------------------------------------------------------------------------------------------------

    async def deploy(self) -> Version | None:
        """Deploy the source as it is now: instances in flight go on with it. One that is no good is refused.

        Returns:
            The version, with what is wrong with it; None where nothing has changed.
        """
        linecache.checkcache()
        repository = Repository(self._settings, self._refusals.watch)
        own = repository.own
        before = self._own.deployed
        self._latest = [own]
        try:
            self._latest = repository.reachable()
            source = self._source_of(self._latest)
        except (WorkflowConfigError, OSError) as error:
            return self._versions.refused(problem_text(error, self._settings), _now())
        if self._versions.is_running(source):
            return None if self.versions[-1].problem is None else self._versions.good(source, _now())
        put_in_place(own, instead_of=before)
        try:
            repository.check()
            version = await self._replace(repository, source)
        except Exception as error:
            put_in_place(before, instead_of=own)
            return self._versions.refused(problem_text(error, self._settings), _now())
        self.env.workflows.bind_all()
        resume(self.env, self._keeper)
        return version

    def _source_of(self, projects: list[Project]) -> str:
        return source_of(projects, self._settings.state)

    async def _replace(self, repository: Repository, source: str) -> Version:
        """Let the instances lose their memory, and go on with another source."""
        await self.engine.store.stored()
        self._flights.before_deploy()
        error: Exception | None = None

        def replace() -> None:
            # Instances have no memory now: whatever happens here, they are to go on after it.
            nonlocal error
            try:
                bound = self._switch(repository)
            except Exception as caught:
                error = caught
            else:
                version = self._versions.good(source, _now())
                self._flights.after_deploy(version.number, bound)

        self.engine.lifecycle.deploy(replace)
        self.engine.stopped_tasks.close()
        if error is not None:
            raise error
        return self._versions.all[-1]

    def _switch(self, repository: Repository) -> set[str]:
        """Bind the workflows of another source, or those of the one before again.

        Raises:
            Exception: What is wrong with the other source.
        """
        before = self._projects.switch(repository.registry, repository.own)
        try:
            bound = self._bind()
            ConfigChecks().check(self._own.as_project(), self.env)
        except Exception:
            self._projects.switch_back(before)
            try:
                self._bind()
            except Exception:
                logging.getLogger("pytest_workflows").exception("The source before cannot be bound again as a whole")
            raise
        return bound

    def _bind(self) -> set[str]:
        for one in self._projects:
            self._sources.add_folder(one.deployed.folder)
        with self.engine.deploying() as bound:
            self.env.deploy(None)
        return bound


def _now() -> int:
    return int(time.time() * 1000)
