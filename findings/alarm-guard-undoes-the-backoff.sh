#!/bin/sh
# An alarm handler that sets an alarm when there is none, and fails, is run again at once, with no limit of retries.
#
# Versions:   miniflare 5.20261117.0-beta, workerd 1.20261117.1 (the local engine of wrangler 4.164.0)
# Behaviour:  getAlarm() is null inside the handler, although a retry follows when it fails. A setAlarm() there takes
#             the place of the retries: the next run has retryCount 0.
# One would guess: `if (await getAlarm() === null) setAlarm(next)` is the safe way to keep an alarm going; a handler
#             that fails is retried with growing pauses, six times, and retryCount tells which it is.
# Seen:       ten runs within a second and a half, each with retryCount 0 (an eleventh was let off). Without the guard,
#             the second run comes after two seconds, with retryCount 1.
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
import { DurableObject } from "cloudflare:workers";

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Thing extends DurableObject {
  runs = [];
  seen = new Set();

  async start(guarded) {
    this.guarded = guarded;
    await this.ctx.storage.setAlarm(Date.now() + 20);
    await wait(guarded ? 1500 : 3500);
    return { getAlarm: [...this.seen], retryCounts: this.runs };
  }

  async alarm(info) {
    if (this.runs.length === 10) return;
    const set = await this.ctx.storage.getAlarm();
    this.runs.push(info.retryCount);
    this.seen.add(set);
    if (this.guarded && set === null) await this.ctx.storage.setAlarm(Date.now() + 20);
    throw new Error("fails");
  }
}

async function test(env) {
  const [guarded, plain] = await Promise.all([true, false].map((g) => env.OBJECTS.getByName(`${g}`).start(g)));
  return { guarded, plain };
}

export default {
  async fetch(request, env) {
    return Response.json(await test(env));
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
  durableObjects: { OBJECTS: { className: "Thing", useSQLite: true } },
}));
console.log(await (await miniflare.dispatchFetch("http://localhost/")).text());
await miniflare.dispose();
EOF

wanted='{"guarded":{"getAlarm":[null],"retryCounts":[0,0,0,0,0,0,0,0,0,0]},"plain":{"getAlarm":[null],"retryCounts":[0,1]}}'
seen=$(node main.js)
echo "$seen"
[ "$seen" = "$wanted" ] || { echo "This has changed. It was: $wanted" >&2; exit 1; }
