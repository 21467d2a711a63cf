"""The local process: a folder, a port, a thread for the Worker, a server before it, and a watch over its source."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import TYPE_CHECKING
from urllib.parse import quote

from pytest_workflows.project import importer

from .engine_thread import EngineThread
from .errors import DevError
from .interpreter import serving
from .live_worker import LiveWorker
from .ports import addresses, bind, is_loopback
from .problems import IN_WORDS, is_in_words, problem_text
from .state_folder import Running, StateFolder
from .terminal import LogLines, RequestLines, Terminal
from .versions import Versions
from .watching import Watch, WatchedPlaces

if TYPE_CHECKING:
    import socket

    from pytest_workflows.control_plane.security import Security

    from .in_flight import Divergence
    from .settings import DevSettings
    from .terminal import App


class DevProcess:
    """A process that serves a Worker until it is stopped.

    Args:
        settings: What it is started with.
        terminal: What it writes to.
    """

    def __init__(self, settings: DevSettings, terminal: Terminal) -> None:
        self._settings = settings
        self._terminal = terminal
        self._folder = StateFolder(settings.state)
        self._thread = EngineThread()
        self._worker: LiveWorker
        self._diverged: dict[tuple[int, str, str], int] = {}

    def run(self) -> None:
        """Serve until Ctrl-C.

        Raises:
            DevError: If it cannot start.
        """
        self._folder.make()
        listener = bind(self._settings.host, self._settings.port)
        importer.install()
        logs = LogLines()
        logs.start()
        try:
            self._open()
            self._serve(listener)
        finally:
            listener.close()
            logs.stop()
            importer.uninstall()

    def _open(self) -> None:
        versions = Versions(self._settings.state)
        self._worker = LiveWorker(self._settings, versions, self._show_divergence, self._terminal.note)
        self._thread.start()
        try:
            self._thread.call(self._worker.open())
        except Exception as error:
            hint = "" if is_in_words(error) else "Correct the source, and start again."
            self._thread.stop(_nothing())
            raise DevError(problem_text(error, self._settings), hint) from error

    def _serve(self, listener: socket.socket) -> None:
        port = int(listener.getsockname()[1])
        urls = addresses(self._settings.host, port)
        security = self._security(urls)
        try:
            app = self._app(security)
            self._start()
            from .server import serve, warm

            async def beside() -> None:
                await warm(app, urls[0], security.token)
                self._folder.announce(Running(urls[0], os.getpid(), security.token))
                self._greet(urls, port, security.token)
                await self._watch()

            with serving():
                asyncio.run(serve(app, listener, beside))
            self._terminal.plain()
        finally:
            self._folder.leave()
            self._stop()
        self._terminal.note("stopped; start it again, and everything goes on.")

    def _stop(self) -> None:
        try:
            has_ended = self._thread.stop(self._worker.close())
        except IN_WORDS as error:
            raise DevError(str(error)) from error
        if not has_ended:
            where = self._thread.where(f"{self._settings.config.parent}{os.sep}")
            self._terminal.note(
                f"stopped, though the Worker's code does not give way:\n{where}\n"
                "What was answered is on disk; start it again, and everything goes on."
            )
            sys.stdout.flush()
            os._exit(1)

    def _start(self) -> None:
        try:
            self._thread.call(self._worker.start())
        except IN_WORDS as error:
            raise DevError(str(error)) from error

    def _security(self, urls: list[str]) -> Security:
        from pytest_workflows.control_plane.security import Security, make_token

        settings = self._settings
        is_private = is_loopback(settings.host) and not settings.hosts
        token = settings.token or (None if is_private else make_token())
        names = {url.partition("//")[2].rpartition(":")[0] for url in urls}
        return Security(token=token, hosts=frozenset({*settings.hosts, *names}), worker_host=settings.worker_host)

    def _app(self, security: Security) -> App:
        from pytest_workflows.control_plane.app import make_app
        from pytest_workflows.control_plane.security import is_own

        return RequestLines(make_app(self._worker, security), self._terminal, is_own)

    # -- what it says --------------------------------------------------------------------------------------------------

    def _greet(self, urls: list[str], port: int, token: str | None) -> None:
        say, settings = self._terminal.plain, self._settings
        if settings.port not in (0, port):
            self._terminal.note(f"port {settings.port} is in use; this is the next free one: {port}.")
        name = self._worker.env.project.config.name if self._worker.env.project is not None else None
        say()
        say(f"  {name or 'The Worker'}, version {self._worker.versions[-1].number}")
        say()
        asked = "" if token is None else f"?token={quote(token, safe='')}"
        for url in urls:
            say(f"  Worker    {url}")
            say(f"  Page      {url}/__workflows{asked}")
        say(f"  API       {urls[0]}/client/v4/accounts/local/workflows")
        say(f"  API docs  {urls[0]}/__workflows/docs{asked}")
        if token is not None:
            say(f"  Token     {token}   (Authorization: Bearer ...)")
        say(f"  State     {os.path.relpath(settings.state)}")
        say()
        say(f"  {'A change of the source is deployed. ' if settings.reloads else ''}Ctrl-C stops.")
        say()

    def _show_divergence(self, found: Divergence) -> None:
        kind = (found.version, found.workflow, found.summary)
        shown = self._diverged.get(kind, 0)
        self._diverged[kind] = shown + 1
        if shown == 1:
            self._terminal.note(
                f"version {found.version}: instance {found.id!r} of {found.workflow} and perhaps more go the same way; "
                "the page shows each."
            )
        if shown:
            return
        self._terminal.note(
            f"version {found.version}: instance {found.id!r} of {found.workflow} goes another way: {found.summary}."
            f"\n{found.table}"
        )

    # -- changes -------------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        if self._settings.reloads:
            await Watch(lambda: WatchedPlaces(self._worker.watched()), self._deploy, self._settings.state).run()

    async def _deploy(self) -> None:
        number = self._worker.running_version
        try:
            version = await self._thread.ask(self._worker.deploy())
        except Exception as error:  # the next change is looked at again
            logging.getLogger("pytest_workflows").exception("A change could not be deployed", exc_info=error)
            return
        if version is None:
            return
        if version.problem is None:
            goes_on = version.number == number
            self._terminal.note(f"version {version.number} {'goes on' if goes_on else 'is deployed'}.")
        else:
            good = self._worker.running_version
            self._terminal.note(f"the change is refused, and version {good} goes on:\n{version.problem}")


async def _nothing() -> None:
    """End without having begun."""
