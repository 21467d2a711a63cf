#!/bin/sh
# sleepUntil ends an instance that is replayed after its time.
#
# Versions:   miniflare 5.20261117.0-beta, workerd 1.20261117.1 (the local engine of wrangler 4.164.0)
# Behaviour:  sleepUntil compares its time with the clock before it looks at what is stored. A replay (here: pause and
#             resume) after that time ends the instance.
# One would guess: a sleep that is over is remembered, like a step and like step.sleep.
# Seen:       "errored", although the sleep had been completed before the pause.
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
    await step.sleepUntil("nap", event.payload.until);
    await step.waitForEvent("go-ahead", { type: "go", timeout: "1 minute" });
    return "done";
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
  const instance = await env.WORKFLOW.create({ params: { until: Date.now() + 300 } });
  await wait(700);
  await instance.pause();
  await until(instance, ["paused"]);
  await instance.resume();
  await wait(200);
  await instance.sendEvent({ type: "go", payload: 1 });
  const { status, error } = await until(instance, ENDED);
  return { status, message: error?.message };
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

wanted='{"status":"errored","message":"You can'"'"'t sleep until a time in the past, time-traveler"}'
seen=$(node main.js)
echo "$seen"
[ "$seen" = "$wanted" ] || { echo "This has changed. It was: $wanted" >&2; exit 1; }
