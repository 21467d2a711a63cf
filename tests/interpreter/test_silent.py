"""What a source does that gives another value on the platform, in silence."""

import ast

import pytest

from pytest_workflows.interpreter.silent import silent_differences
from pytest_workflows.interpreter.table import table_of
from pytest_workflows.sources.syntax import SourceFile


def found(text: str, python: tuple[int, int] = (3, 14)) -> list[str]:
    return [message for _, message in silent_differences(SourceFile(ast.parse(text)), table_of(python))]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import sys\nn = sys.maxsize", "`sys.maxsize` is 2147483647 on the platform, and 9223372036854775807 here"),
        ("from sys import maxsize as most\nf(most)", "`sys.maxsize` is 2147483647"),
        ("import sys\nif sys.platform == 'linux': pass", "`sys.platform` is 'emscripten' on the platform, and 'linux'"),
        ("import sys\nif sys.platform.startswith('linux'): pass", "`sys.platform` is 'emscripten'"),
        ("import sys\nprint(sys.platform, 'x')", "`sys.platform` is 'emscripten'"),
        ("import os\ndef f(): return os.cpu_count()", "`os.cpu_count()` has another value on the platform"),
        ("import platform\nplatform.system()", "`platform.system()` is 'Emscripten'"),
        ("d.strftime('%Y %k')", "`%k` in the format '%Y %k' gives nothing, and the whole text is empty"),
        ("import time\ntime.strftime('%P')", "`%P` in the format '%P' gives nothing"),
        ("f'{d:%l:%M}'", "`%l` in the format '%l:%M' gives nothing"),
        ("import struct\nstruct.pack('Bl', 1, 2)", "`l` in the format 'Bl' has 4 bytes on the platform, and 8 here"),
        ("from struct import unpack\nunpack('@P', b)", "`P` in the format '@P' has 4 bytes"),
        ("import array\narray.array('L')", "an item of `array('L')` has 4 bytes on the platform, and 8 here"),
        ("import time\nclass A:\n  at = time.time()", "`time.time()` is read where the module is imported"),
        ("from datetime import datetime as dt\nSTART: object = dt.now()", "`dt.now()` is read where the module"),
    ],
)
def test_another_value_is_found(text: str, said: str) -> None:
    [message] = found(text)

    assert said in message


@pytest.mark.parametrize(
    "text",
    [
        "import sys\nif sys.platform == 'win32': pass",
        "import sys\nif sys.platform == 'emscripten': pass",
        "import sys\nif sys.platform.startswith('win'): pass",
        "import sys\nif sys.platform in ('linux', 'emscripten'): pass",
        "import errno\nerrno.ENOENT",
        "d.strftime('%Y-%m-%d %H:%M %%k')",
        "import struct\nstruct.pack('<l', 1)\nstruct.pack('>IQ', 1, 2)",
        "import array\narray.array('i')",
        "import time\ndef f():\n  at = time.time()",
        "import time\nprint(time.time())",
        "import time\nnow = lambda: time.time()",
        "import time\nat = time.monotonic()",
        "class sys: maxsize = 1\nx = sys.maxsize",
        "import os\nos.cpu_count = 5",
    ],
)
def test_what_is_the_same_or_is_not_kept_is_not_found(text: str) -> None:
    assert found(text) == []


def test_it_is_the_table_of_the_platforms_python_that_counts() -> None:
    assert found("d.strftime('%-d')", (3, 14)) == []
    assert found("d.strftime('%-d')", (3, 12)) == ["`%-d` in the format '%-d' gives itself on the platform"]
