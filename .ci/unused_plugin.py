"""Installing the plugin must not load anything heavy into a pytest run that does not use it."""

import subprocess
import sys

CODE = """
import sys, pytest
class Look:
    def pytest_unconfigure(self):
        heavy = {"durable_engine", "freezegun", "httpx", "msgspec", "rich", "sqlite3", "json5"}
        loaded = sorted(heavy & set(sys.modules))
        print("loaded:", loaded)
        assert not loaded, loaded
raise SystemExit(pytest.main(["--version"], plugins=[Look()]))
"""

raise SystemExit(subprocess.run([sys.argv[1], "-W", "error", "-c", CODE], check=False).returncode)
