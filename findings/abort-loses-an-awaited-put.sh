#!/bin/sh
# A put that was awaited is lost when the Durable Object calls abort() next.
#
# Versions:   miniflare 5.20261117.0-beta, workerd 1.20261117.1 (the local engine of wrangler 4.164.0)
# Behaviour:  `await storage.put()` resolves before the value is written, and so does a read of it; abort() throws away
#             what is not written yet. `await storage.sync()` before it keeps the value.
# One would guess: what was awaited is stored: a supervisor can note why it gives up, and abort.
# Seen:       nothing is found after put and abort, nor after put, get and abort; 1 is found where sync() came between.
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

export class Thing extends DurableObject {
  async fail(between) {
    const storage = this.ctx.storage;
    await storage.put("reason", 1);
    if (between === "get" && await storage.get("reason") !== 1) throw new Error("not even read back");
    if (between === "sync") await storage.sync();
    this.ctx.abort("on purpose");
  }

  async reason() {
    return await this.ctx.storage.get("reason") ?? "lost";
  }
}

async function test(env) {
  const found = {};
  for (const between of ["nothing", "get", "sync"]) {
    await env.OBJECTS.getByName(between).fail(between).catch(() => {});
    found[between] = await env.OBJECTS.getByName(between).reason();
  }
  return found;
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

wanted='{"nothing":"lost","get":"lost","sync":1}'
seen=$(node main.js)
echo "$seen"
[ "$seen" = "$wanted" ] || { echo "This has changed. It was: $wanted" >&2; exit 1; }
