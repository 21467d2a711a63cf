"""The table in docs/reference/step-coverage.md is what the example gives."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_table_of_the_page_is_true() -> None:
    page = (ROOT / "docs/reference/step-coverage.md").read_text(encoding="utf-8")
    table = re.search(r'```text title="moderation"\n(.*?)\n```', page, re.DOTALL)
    assert table is not None
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--workflows-cov", "-k", "not publish"]

    result = subprocess.run(
        [sys.executable, *command], cwd=ROOT / "examples/moderation", capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stdout
    assert table[1] in result.stdout
