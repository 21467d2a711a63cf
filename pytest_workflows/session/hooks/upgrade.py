"""`--workflows-upgrade-from`: the older source is found before the first test. Registered only with the option."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.project.old_source import OldSource, find_old_source, is_recordings, put_away
from pytest_workflows.session.xdist_channel import CHANNEL, Message, converted

if TYPE_CHECKING:
    from pytest_workflows.session.session import WorkflowSession

NAME = "pytest-workflows-upgrade"
SOURCE: Message[OldSource] = Message("old_source", converted(lambda: OldSource))
"""Where the older source lies: a session takes it out of git once, whatever the number of its processes."""


def set_up_upgrade(config: pytest.Config, session: WorkflowSession) -> None:
    """Find what `--workflows-upgrade-from` names: an older source, or recordings of what it has begun.

    Raises:
        pytest.UsageError: If there is no such thing.
    """
    given = config.option.workflows_upgrade_from
    if is_recordings(config.invocation_params.dir / given):
        config.option.workflows_replay = [*config.option.workflows_replay, given]  # set up where that option is
        config.option.workflows_upgrade_from = None
    else:
        config.pluginmanager.register(UpgradeHooks(config, session), NAME)


class UpgradeHooks:
    """Hooks that give a session the older source.

    Args:
        config: pytest's configuration.
        session: Our session.

    Raises:
        pytest.UsageError: If there is no such source.
    """

    def __init__(self, config: pytest.Config, session: WorkflowSession) -> None:
        self._session = session
        self._is_worker = config.stash[CHANNEL].is_worker
        if self._is_worker:
            self._source = config.stash[CHANNEL].started_with(SOURCE)
        else:
            try:
                self._source = find_old_source(
                    config.option.workflows_upgrade_from, config.rootpath, config.invocation_params.dir
                )
            except WorkflowConfigError as error:
                raise pytest.UsageError(str(error)) from None
            config.stash[CHANNEL].at_start(SOURCE, lambda _: self._source)
        session.upgrades.source = self._source
        folder = Path(self._source.folder)
        self._left_out = None if config.rootpath.is_relative_to(folder) else folder
        self._has_left_out = False
        if self._left_out is not None:
            session.switcher.registry.left_out.append(folder)

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leave out the tests of an older source that lies among today's: they are about that."""
        left_out = self._left_out
        if left_out is None or collection_path.name != left_out.name or collection_path.resolve() != left_out:
            return None
        self._has_left_out = True
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Refuse an older source that cannot be imported, before xdist starts its workers, which cannot.

        Raises:
            pytest.UsageError: If it cannot.
        """
        config = session.config
        if config.getoption("dist", "no") != "no" and not self._is_worker:
            folder = config.invocation_params.dir
            self._check(dict.fromkeys((folder / argument.split("::")[0]).resolve() for argument in config.args))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Refuse an older source that cannot be imported, or that has all of the tests, before any test runs.

        Raises:
            pytest.UsageError: If there is such a one.
        """
        if not self._is_worker:
            if self._has_left_out and not session.items:
                raise pytest.UsageError(
                    f"--workflows-upgrade-from={self._source.shown_name}: no test is left. Those in the folder of an "
                    "older source are not collected: it has tests of its own. Give the folder of the older wrangler "
                    "configuration."
                )
            self._check(dict.fromkeys(item.path for item in session.items))

    def _check(self, paths: Iterable[Path]) -> None:
        upgrades = self._session.upgrades
        reasons = {path: upgrades.reason_against(path) for path in paths if upgrades.has_project(path)}
        if reasons and None not in reasons.values():
            raise pytest.UsageError(next(iter(reasons.values())))  # no test could be judged
        for path in (path for path, reason in reasons.items() if reason is None):
            try:
                upgrades.check(path)
            except WorkflowConfigError as error:
                raise pytest.UsageError(str(error)) from None

    def pytest_unconfigure(self) -> None:
        """Remove what was taken out of git."""
        if not self._is_worker:
            put_away(self._source)
