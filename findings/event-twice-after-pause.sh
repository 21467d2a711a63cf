#!/bin/sh
# An event that a wait has taken is delivered to the next wait of its type after pause and resume.
#
# Versions:   miniflare 5.20261117.0-beta, workerd 1.20261117.1 (the local engine of wrangler 4.164.0)
# Behaviour:  events are stored when they arrive, and not removed from storage when they are taken. resume() reads them back.
# One would guess: the second wait waits for a second event. Without the pause it does.
# Seen:       both waits got "first"; one event was sent.
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
    const first = await step.waitForEvent("one", { type: "go", timeout: "1 minute" });
    await step.waitForEvent("between", { type: "between", timeout: "1 minute" });
    const second = await step.waitForEvent("two", { type: "go", timeout: "1 second" });
    return [first.payload, second.payload];
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
  await wait(150);
  await instance.sendEvent({ type: "go", payload: "first" });
  await wait(150);
  await instance.pause();
  await until(instance, ["paused"]);
  await instance.resume();
  await wait(150);
  await instance.sendEvent({ type: "between", payload: 0 });
  const { status, output } = await until(instance, ENDED);
  return { status, output };
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

wanted='{"status":"complete","output":["first","first"]}'
seen=$(node main.js)
echo "$seen"
[ "$seen" = "$wanted" ] || { echo "This has changed. It was: $wanted" >&2; exit 1; }
