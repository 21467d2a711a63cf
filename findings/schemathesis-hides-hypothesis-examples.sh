#!/bin/sh
# With schemathesis installed, Hypothesis prints a failing example of any test without its values.
#
# Versions:   schemathesis 4.32.5, hypothesis 6.170.17, pytest 9.2.0, on CPython 3.11
# Behaviour:  The pytest plugin of schemathesis, which is loaded wherever the package is installed, lets Hypothesis
#             represent an example's arguments as nothing, in tests that do not use schemathesis as well.
# One would guess: a plugin changes the reports of its own tests alone. Hypothesis' "Falsifying example" names what to
#             paste into a test; here it names the parameters and no value.
# Seen:       x=,
#             and with `-p no:schemathesis`: x=10,
#
# Needs Python 3.11 or newer with venv. Exits with 0 while the behaviour is the same, with 1 when it has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q schemathesis==4.32.5 hypothesis==6.170.17 pytest==9.2.0 > install.log 2>&1 ||
  { cat install.log >&2; exit 2; }

cat > test_it.py <<'END'
from hypothesis import given, settings, strategies as st


@settings(database=None, derandomize=True)
@given(x=st.integers())
def test_it(x):
    assert x < 10
END

shown() { venv/bin/python -m pytest -q -p no:cacheprovider "$@" test_it.py 2>&1 | grep -E '^E +x=' | tr -d ' ' | sed 's/^E//' || true; }
wanted='x=, x=10,'
seen="$(shown) $(shown -p no:schemathesis)"
echo "$seen"
[ "$seen" = "$wanted" ] || { echo "This has changed. It was: $wanted" >&2; exit 1; }
