#!/bin/sh
# pause() runs the catch block around whatever run() awaits, while the instance is paused.
#
# Versions:   miniflare 5.20261117.0-beta, workerd 1.20261117.1 (the local engine of wrangler 4.164.0)
# Behaviour:  pause() makes the pending sleep (or wait, or step) reject inside run() with "Aborting engine: User called
#             pause". Code that catches it goes on, up to the callback of its first step. After resume() the sleep goes on.
# One would guess: a paused instance does nothing; a compensation runs only when something failed.
# Seen:       charged, refunded during the pause, and shipped after it.
#
# Installs the pinned packages from npm into a temporary folder, runs a small Workflow, and exits with 0 while the
# behaviour is the same, with 1 when it has changed. miniflare asks for Node 22.12; Node 20.20 ran it as well.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund miniflare@5.20261117.0-beta workerd@1.20261117.1 > install.log 2>&1 ||
  { cat install.log >&2; exit 2; }

cat > worker.js <<'EOF'
import { WorkflowEntrypoint } from "cloudflare:workers";

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const seen = [];

export class W extends WorkflowEntrypoint {
  async run(event, step) {
    try {
      await step.do("charge", async () => { seen.push("charge"); });
      await step.sleep("until tomorrow", 700);
    } catch (error) {
      await step.do("refund", async () => { seen.push(`refund (${error.message})`); });
      return "refunded";
    }
    await step.do("ship", async () => { seen.push("ship"); });
    return "shipped";
  }
}

async function until(instance, wanted) {
  for (let n = 0; n < 200; n++) {
    const status = await instance.status();
    if (wanted.includes(status.status)) return status;
    await wait(25);
  }
  return instance.status();
}

const ENDED = ["complete", "errored", "terminated"];

async function test(env) {
  const instance = await env.WORKFLOW.create();
  await wait(200);
  await instance.pause();
  await until(instance, ["paused"]);
  await wait(300);
  seen.push((await instance.status()).status);
  await instance.resume();
  const { output } = await until(instance, ENDED);
  return { output, seen };
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
  workflows: { WORKFLOW: { name: "workflow", className: "W" } },
}));
console.log(await (await miniflare.dispatchFetch("http://localhost/")).text());
await miniflare.dispose();
EOF

wanted='{"output":"shipped","seen":["charge","refund (Aborting engine: User called pause)","paused","ship"]}'
seen=$(node main.js)
echo "$seen"
[ "$seen" = "$wanted" ] || { echo "This has changed. It was: $wanted" >&2; exit 1; }
