#!/bin/sh
# The local runtime counts no subrequests, and measures no processor time: `limits` of the configuration has no effect.
#
# Versions:   wrangler 4.164.0 (miniflare 5.20261117.0-beta, workerd 1.20261117.1)
# Behaviour:  with "limits": { "subrequests": 5, "cpu_ms": 10 } a Worker makes 1,500 calls of a binding and computes for
#             half a second, and nothing is said of it.
# One would guess: `wrangler dev` reads the setting, so what passes there is within it. In production the sixth call
#             raises "Too many API requests by single Worker invocation.", and the Worker is ended after 10 ms.
# Seen:       all 1,500 calls answer.
#
# Installs the pinned packages from npm into a temporary folder, runs a small Worker with `wrangler dev`, and exits with
# 0 while the behaviour is the same, with 1 when it has changed. wrangler asks for Node 22.12; Node 20.20 ran it as well.
set -eu
folder=$(mktemp -d)
dev=
trap '[ -z "$dev" ] || kill "$dev" 2> /dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund wrangler@4.164.0 > install.log 2>&1 || { cat install.log >&2; exit 2; }

cat > wrangler.jsonc <<'EOF'
{
  "name": "main",
  "main": "worker.js",
  "compatibility_date": "2026-11-10",
  "limits": { "subrequests": 5, "cpu_ms": 10 },
  "kv_namespaces": [{ "binding": "KV", "id": "kv" }]
}
EOF

cat > worker.js <<'EOF'
export default {
  async fetch(request, env) {
    let answered = 0;
    for (let at = 0; at < 1500; at++) {
      await env.KV.get("key");
      answered++;
    }
    let sum = 0;
    for (let at = 0; at < 3e8; at++) sum += at % 7;
    return Response.json({ answered, computed: sum > 0 });
  },
};
EOF

export WRANGLER_SEND_METRICS=false CI=1
node --no-warnings node_modules/wrangler/wrangler-dist/cli.js dev --port 18787 --ip 127.0.0.1 > dev.log 2>&1 &
dev=$!
for _ in $(seq 60); do
  grep -q "Ready on" dev.log && break
  kill -0 "$dev" 2> /dev/null || break
  sleep 1
done
grep -q "Ready on" dev.log || { cat dev.log >&2; exit 2; }

wanted='{"answered":1500,"computed":true}'
seen=$(node -e 'fetch("http://127.0.0.1:18787/").then((answer) => answer.text()).then((text) => console.log(text))')
echo "$seen"
[ "$seen" = "$wanted" ] || { echo "This has changed. It was: $wanted" >&2; exit 1; }
