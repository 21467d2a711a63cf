"""Each example has two patches: a change that its instances in flight survive, and one that they do not."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FOLDERS = sorted(patch.parent.parent for patch in EXAMPLES.rglob("upgrades/safe.patch"))
PROJECTS = sorted(
    {EXAMPLES / config.relative_to(EXAMPLES).parts[0] for config in EXAMPLES.rglob("wrangler.*")} - {EXAMPLES / "dag"}
)

each_example = pytest.mark.parametrize(
    "folder", [pytest.param(folder, id=str(folder.relative_to(EXAMPLES))) for folder in FOLDERS]
)


@pytest.fixture
def deploy(sessions, tmp_path):
    """Runs an example's tests with a patched source, begun on the source as it is, and stopped at a few points each."""

    def deploy(folder, patch):
        changed = Path(
            shutil.copytree(folder, tmp_path / folder.name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        )
        applied = ["git", "apply", f"upgrades/{patch}.patch"]
        done = subprocess.run(applied, cwd=changed, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        options = ["-q", "-p", "respx", "-p", "no:cacheprovider", "-W", "ignore", "--workflows-crash=2"]
        result = sessions.run(changed, *options, f"--workflows-upgrade-from={folder}")
        return result.ret, result.stdout.str()

    return deploy


def test_every_example_has_both():
    assert {folder.parent if folder.parent.name == "dag" else folder for folder in FOLDERS} == {
        *PROJECTS,
        EXAMPLES / "dag",
    }
    assert all((folder / "upgrades" / "unsafe.patch").is_file() for folder in FOLDERS)


@each_example
def test_instances_in_flight_survive_a_safe_change(folder, deploy):
    code, shown = deploy(folder, "safe")

    assert code == 0, shown
    assert re.search(r"\d+ tests?, [1-9]\d* upgrades in .* s: none failed", shown)


@each_example
def test_an_unsafe_change_is_found(folder, deploy):
    code, shown = deploy(folder, "unsafe")

    assert code == 1
    assert re.search(r"^FAILED .*\[upgrade: .*\]", shown, re.MULTILINE), shown
    assert "is in flight when today's source takes the place of" in shown
    assert "What to do: " in shown
    assert "During handling of the above exception" not in shown
