#!/bin/sh
# hashlib has no pbkdf2_hmac and no scrypt in Pyodide 314, and zoneinfo not even UTC.
#
# Versions:   Pyodide 314.0.7 (Python 3.14, what Cloudflare's Python Workers run on), under Node
# Behaviour:  both are OpenSSL's, which this Pyodide is built without: AttributeError. Time zones come from the package
#             tzdata alone.
# One would guess: pbkdf2_hmac is there: Python's documentation makes no exception, and libraries use it for passwords.
# Seen:       hasattr is False for both, and ZoneInfo("UTC") raises ZoneInfoNotFoundError.
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
import hashlib, json, zoneinfo
try:
    zone = str(zoneinfo.ZoneInfo("UTC"))
except Exception as error:
    zone = type(error).__name__
json.dumps([hasattr(hashlib, "pbkdf2_hmac"), hasattr(hashlib, "scrypt"), hasattr(hashlib, "sha256"), zone])
`));
EOF

wanted='[false, false, true, "ZoneInfoNotFoundError"]'
seen=$(node main.js)
echo "$seen"
[ "$seen" = "$wanted" ] || { echo "This has changed. It was: $wanted" >&2; exit 1; }
