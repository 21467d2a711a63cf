#!/bin/sh
# A message of a queue that was acked is delivered again when the handler throws, or calls retryAll().
#
# Versions:   miniflare 5.20261117.0-beta, workerd 1.20261117.1 (the local engine of wrangler 4.164.0)
# Behaviour:  the local queue puts the whole batch back in both cases, and leaves the acks of single messages aside.
# One would guess: ack() settles a message, whatever becomes of the rest: that is what explicit acks are for.
# Seen:       "first" is acked in every delivery, and delivered again after the throw, and once more after retryAll().
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
const deliveries = [];

async function test(env) {
  await env.QUEUE.sendBatch([{ body: "first" }, { body: "second" }]);
  for (let n = 0; n < 400 && deliveries.length < 3; n++) await new Promise((resolve) => setTimeout(resolve, 25));
  return deliveries;
}

export default {
  async fetch(request, env) {
    return Response.json(await test(env));
  },

  async queue(batch) {
    deliveries.push(batch.messages.map((message) => `${message.body}, attempt ${message.attempts}`));
    const first = batch.messages.find((message) => message.body === "first");
    first?.ack();
    if (deliveries.length === 1) throw new Error("while handling the second");
    if (deliveries.length === 2) batch.retryAll();
  },
};
EOF

cat > main.js <<'EOF'
import { readFileSync } from "node:fs";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";

const miniflare = new Miniflare(convertV4MiniflareOptions({
  name: "main",
  modules: true,
  script: readFileSync("worker.js", "utf8"),
  compatibilityDate: "2026-11-10",
  queueProducers: { QUEUE: { queueName: "queue" } },
  queueConsumers: { queue: { maxBatchTimeout: 0, maxRetries: 3 } },
}));
console.log(await (await miniflare.dispatchFetch("http://localhost/")).text());
await miniflare.dispose();
EOF

wanted='[["first, attempt 1","second, attempt 1"],["first, attempt 2","second, attempt 2"],["first, attempt 3","second, attempt 3"]]'
seen=$(node main.js)
echo "$seen"
[ "$seen" = "$wanted" ] || { echo "This has changed. It was: $wanted" >&2; exit 1; }
