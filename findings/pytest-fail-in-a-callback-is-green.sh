#!/bin/sh
# pytest.fail() in a callback of the event loop leaves an async test green.
#
# Versions:   pytest 9.2.0, pytest-asyncio 1.5.0, on CPython 3.11 and 3.14
# Behaviour:  what pytest.fail, pytest.skip and pytest.exit raise in a callback (call_soon, call_later, a future's
#             done-callback) is logged by asyncio, and the test passes.
# One would guess: these exceptions are BaseExceptions so that nothing swallows them, and run_forever() lets those out.
#             asyncio lets out SystemExit and KeyboardInterrupt alone.
# Seen:       1 passed
#
# A hook, a mock or an observer that a tool calls from such a callback therefore cannot fail the test by itself: the
# tool must catch what it raises and hand it to the test. Needs Python 3.11 or newer with venv. Exits with 0 while the
# behaviour is the same, with 1 when it has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q pytest==9.2.0 pytest-asyncio==1.5.0 > install.log 2>&1 || { cat install.log >&2; exit 2; }

cat > test_it.py <<'EOP'
import asyncio

import pytest


@pytest.mark.asyncio
async def test_it():
    asyncio.get_running_loop().call_soon(pytest.fail, "said in a callback")
    await asyncio.sleep(0.01)
EOP

wanted='1 passed'
seen=$(venv/bin/python -m pytest -q -p no:cacheprovider test_it.py 2>&1 | grep -Eo '[0-9]+ (passed|failed)' || true)
echo "$seen"
[ "$seen" = "$wanted" ] || { echo "This has changed. It was: $wanted" >&2; exit 1; }
