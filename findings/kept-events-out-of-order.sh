#!/bin/sh
# More than ten kept events are delivered in another order after pause and resume.
#
# Versions:   miniflare 5.20261117.0-beta, workerd 1.20261117.1 (the local engine of wrangler 4.164.0)
# Behaviour:  kept events are stored under keys that end in their place in the queue, and read back in the order of
#             these keys, which are texts.
# One would guess: events of one type come in the order in which they were sent. Without the pause they do.
# Seen:       0, 1, 10, 11, 2, 3, ...
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
    await step.waitForEvent("start", { type: "start", timeout: "1 minute" });
    const numbers = [];
    for (let n = 0; n < 12; n++) {
      numbers.push((await step.waitForEvent("number", { type: "number", timeout: "1 second" })).payload);
    }
    return numbers;
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
  for (let n = 0; n < 12; n++) await instance.sendEvent({ type: "number", payload: n });
  await instance.pause();
  await until(instance, ["paused"]);
  await instance.resume();
  await wait(150);
  await instance.sendEvent({ type: "start", payload: 0 });
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

wanted='{"status":"complete","output":[0,1,10,11,2,3,4,5,6,7,8,9]}'
seen=$(node main.js)
echo "$seen"
[ "$seen" = "$wanted" ] || { echo "This has changed. It was: $wanted" >&2; exit 1; }
