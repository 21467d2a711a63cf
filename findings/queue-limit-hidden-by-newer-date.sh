#!/bin/sh
# A newer compatibility date hides which limit of a queue was exceeded.
#
# Versions:   miniflare 5.20261117.0-beta, workerd 1.20261117.1 (the local engine of wrangler 4.164.0)
# Behaviour:  up to 2026-03-11 send() and sendBatch() name the limit; from 2026-03-12 on every one of them reads
#             "Unknown Internal Error (15000)".
# One would guess: a newer date keeps errors that a caller's mistake leads to, or makes them more exact; an internal
#             error is worth a retry.
# Seen:       one text for a message that is too long and for a batch of too many.
#
# Installs the pinned packages from npm into a temporary folder, runs a small Worker, and exits with 0 while the
# behaviour is the same, with 1 when it has changed. miniflare asks for Node 22.12; Node 20.20 ran it as well.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund miniflare@5.20261117.0-beta workerd@1.20261117.1 > install.log 2>&1 ||
  { cat install.log >&2; exit 2; }

cat > worker.js <<'EOF'
const attempt = async (call) => { try { return await call(); } catch (error) { return String(error); } };

async function test(env) {
  return {
    long: await attempt(() => env.QUEUE.send("x".repeat(200_000))),
    many: await attempt(() => env.QUEUE.sendBatch(Array(101).fill({ body: 1 }))),
  };
}

export default {
  async fetch(request, env) {
    return Response.json(await test(env));
  },

  async queue() {},
};
EOF

cat > main.js <<'EOF'
import { readFileSync } from "node:fs";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";

for (const compatibilityDate of ["2026-03-11", "2026-03-12"]) {
  const miniflare = new Miniflare(convertV4MiniflareOptions({
    name: "main",
    modules: true,
    script: readFileSync("worker.js", "utf8"),
    compatibilityDate,
    queueProducers: { QUEUE: { queueName: "queue" } },
    queueConsumers: { queue: { maxBatchTimeout: 0 } },
  }));
  console.log(await (await miniflare.dispatchFetch("http://localhost/")).text());
  await miniflare.dispose();
}
EOF

wanted='{"long":"Error: Queue send failed: message length of 200002 bytes exceeds limit of 128000","many":"Error: Queue sendBatch failed: batch message count of 101 exceeds limit of 100"}
{"long":"Error: Unknown Internal Error (15000)","many":"Error: Unknown Internal Error (15000)"}'
seen=$(node main.js)
echo "$seen"
[ "$seen" = "$wanted" ] || { echo "This has changed. It was: $wanted" >&2; exit 1; }
