"""Installing the plugin must load next to nothing into a pytest run that does not use it, and be rewritten nowhere."""

import subprocess
import sys
import tempfile

CODE = """
import pathlib, sys, pytest
pathlib.Path("test_plain.py").write_text("def test_plain(): pass\\ndef test_that_fails(): assert 0\\n")
codes = [pytest.main(["--version"]), pytest.main(["-q", "-p", "no:cacheprovider"])]
# httpx is left out: the plugin of respx, which is installed here, loads it; time_machine, being a plugin itself, too.
assert "pytest_workflows.plugin" in sys.modules, "the plugin is not installed"
heavy = {"durable_engine", "jinja2", "msgspec", "rich", "sqlite3", "json5", "pytest_workflows.workers"}
loaded = sorted(heavy & set(sys.modules))
assert not loaded, f"loaded without need: {loaded}"
assert codes == [0, 1], f"one test passes and one fails: {codes}"
ours = {name: one for name, one in sys.modules.items() if name.split(".")[0] in ("pytest_workflows", "durable_engine")}
assert len(ours) <= 20, f"loaded without need: {sorted(ours)}"
pathlib.Path("test_used.py").write_text("def test_used(workflow_env): assert workflow_env\\n")
codes = [pytest.main(["-q", "-p", "no:cacheprovider", "test_used.py"])]
ours = {name: one for name, one in sys.modules.items() if name.split(".")[0] in ("pytest_workflows", "durable_engine")}
rewritten = {name for name, one in ours.items() if type(one.__loader__).__name__ == "AssertionRewritingHook"}
assert codes == [0] and rewritten <= {"pytest_workflows", "pytest_workflows.plugin"}, (codes, sorted(rewritten))
"""

with tempfile.TemporaryDirectory() as folder:
    result = subprocess.run([sys.argv[1], "-c", CODE], cwd=folder, check=False)
raise SystemExit(result.returncode)
