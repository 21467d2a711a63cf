#!/bin/sh
# An event without a type, or to an instance that has ended, is accepted and lost.
#
# Versions:   miniflare 5.20261117.0-beta, workerd 1.20261117.1 (the local engine of wrangler 4.164.0)
# Behaviour:  sendEvent resolves in both cases. Nothing is raised, nothing is stored that a wait could take.
# One would guess: it rejects, as terminate() of an instance that has ended does ("instance.cannot_terminate").
# Seen:       three calls that resolved, and a wait that timed out.
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
    if (event.payload.ends) return "done";
    await step.waitForEvent("go-ahead", { type: "go", timeout: 500 });
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
  const attempt = async (call) => { try { await call(); return "resolved"; } catch (error) { return String(error); } };
  const ended = await env.WORKFLOW.create({ params: { ends: true } });
  await until(ended, ENDED);
  const late = await attempt(() => ended.sendEvent({ type: "go", payload: 1 }));
  const waiting = await env.WORKFLOW.create({ params: {} });
  await wait(100);
  const untyped = await attempt(() => waiting.sendEvent({ payload: 1 }));
  const empty = await attempt(() => waiting.sendEvent({ type: "", payload: 1 }));
  return { late, untyped, empty, status: (await until(waiting, ENDED)).status };
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

wanted='{"late":"resolved","untyped":"resolved","empty":"resolved","status":"errored"}'
seen=$(node main.js)
echo "$seen"
[ "$seen" = "$wanted" ] || { echo "This has changed. It was: $wanted" >&2; exit 1; }
