#!/bin/sh
# A Python Worker whose main lies at the project's root takes the virtual environment, the tests and what npm
# installed with it.
#
# Versions:   wrangler 4.164.0
# Behaviour:  every **/*.py, **/*.txt, **/*.html and **/*.wasm below the folder of main is uploaded, in `.venv`, in
#             `tests` and in `node_modules` too. From `src/` none of them is, and python_modules beside it is.
# One would guess: hidden folders, environments and node_modules are left out, as by git and by every other tool.
# Seen:       the test environment counts for the Worker's size, and the limit of 64 MiB is reached by it alone.
#
# Installs the pinned package from npm into a temporary folder, prepares a deploy without sending it, and exits with 0
# while the behaviour is the same, with 1 when it has changed. wrangler asks for Node 22.12; Node 20.20 ran it as well.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/tool" "$folder/project"
cd "$folder/tool"
echo '{ "private": true }' > package.json
npm install --silent --no-audit --no-fund wrangler@4.164.0 > install.log 2>&1 ||
  { cat install.log >&2; exit 2; }
cli="$folder/tool/node_modules/wrangler/wrangler-dist/cli.js"

cd "$folder/project"
mkdir -p src tests .venv/lib/python3.14/site-packages node_modules/page python_modules/package
echo 'x = 1' | tee tests/test_it.py .venv/lib/python3.14/site-packages/library.py python_modules/package/__init__.py > worker.py
echo 'x = 1' > src/worker.py
echo '<p>' > node_modules/page/index.html

uploaded() {
  cat > wrangler.jsonc <<EOF
{ "name": "it", "main": "$1", "compatibility_date": "2026-11-10", "compatibility_flags": ["python_workers"] }
EOF
  WRANGLER_SEND_METRICS=false node "$cli" deploy --dry-run --outdir "$folder/out-$2" > "$folder/log" 2>&1 ||
    { cat "$folder/log" >&2; exit 2; }
  (cd "$folder/out-$2" && find . -type f ! -name README.md | sort | tr '\n' ' ')
}

wanted_root="./.venv/lib/python3.14/site-packages/library.py ./node_modules/page/index.html ./python_modules/package/__init__.py ./src/worker.py ./tests/test_it.py ./worker.py "
wanted_src="./python_modules/package/__init__.py ./worker.py "
seen_root=$(uploaded worker.py root)
seen_src=$(uploaded src/worker.py src)
echo "main at the root: $seen_root"
echo "main in src/:     $seen_src"
[ "$seen_root" = "$wanted_root" ] || { echo "This has changed. It was: $wanted_root" >&2; exit 1; }
[ "$seen_src" = "$wanted_src" ] || { echo "This has changed. It was: $wanted_src" >&2; exit 1; }
