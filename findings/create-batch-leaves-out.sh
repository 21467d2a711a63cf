#!/bin/sh
# createBatch answers with fewer handles than it was asked for, and says nothing.
#
# Versions:   miniflare 5.20261117.0-beta, workerd 1.20261117.1 (the local engine of wrangler 4.164.0)
# Behaviour:  ids that exist, or that are repeated in the list, are left out of the array that createBatch returns.
# One would guess: one handle for each entry, in their order: orders.map((order, i) => handles[i]).
# Seen:       four were asked for, and two came: handles[1] is "c", which was the fourth.
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
  await env.WORKFLOW.create({ id: "a" });
  const handles = await env.WORKFLOW.createBatch([{ id: "a" }, { id: "b" }, { id: "b" }, { id: "c" }]);
  return { asked: 4, handles: handles.map((handle) => handle.id) };
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

wanted='{"asked":4,"handles":["b","c"]}'
seen=$(node main.js)
echo "$seen"
[ "$seen" = "$wanted" ] || { echo "This has changed. It was: $wanted" >&2; exit 1; }
