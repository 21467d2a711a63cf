#!/bin/sh
# One directive that the C library does not know makes the whole text of strftime empty, without an exception.
#
# Versions:   Pyodide 314.0.7 (Python 3.14, what Cloudflare's Python Workers run on), under Node
# Behaviour:  datetime.strftime("%Y-%m-%d %P") is "", and so is an f-string with %k, %l or %P in its format.
# One would guess: as on Linux, "2020-01-02 pm"; or the directive unchanged, as on Pyodide 0.26; or a ValueError.
# Seen:       the date is gone as well.
#
# Installs the pinned package from npm into a temporary folder and exits with 0 while the behaviour is the same, with 1
# when it has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund pyodide@314.0.7 > install.log 2>&1 || { cat install.log >&2; exit 2; }

cat > main.js <<'EOF'
import { loadPyodide } from "pyodide";

const pyodide = await loadPyodide();
console.log(pyodide.runPython(`
import datetime, json
moment = datetime.datetime(2020, 1, 2, 15)
json.dumps([moment.strftime("%Y-%m-%d"), moment.strftime("%Y-%m-%d %P"), f"{moment:%Y-%m-%d %k}"])
`));
EOF

wanted='["2020-01-02", "", ""]'
seen=$(node main.js)
echo "$seen"
[ "$seen" = "$wanted" ] || { echo "This has changed. It was: $wanted" >&2; exit 1; }
