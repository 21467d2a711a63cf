#!/bin/sh
# transactionSync takes an async callback, and does not roll back what it wrote when it fails.
#
# Versions:   miniflare 5.20261117.0-beta, workerd 1.20261117.1 (the local engine of wrangler 4.164.0)
# Behaviour:  a callback that returns a promise counts as done. The transaction is committed, and the rejection reaches
#             only who awaits the promise that transactionSync hands on.
# One would guess: an async callback is refused, or its rejection rolls back, as it does in storage.transaction().
# Seen:       the row of the async callback that threw stays; the row of the plain one that threw does not.
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

const attempt = async (call) => { try { return await call(); } catch (error) { return String(error); } };

export class Thing extends DurableObject {
  async run() {
    const storage = this.ctx.storage;
    storage.sql.exec("CREATE TABLE t (x TEXT)");
    const insert = (x) => {
      storage.sql.exec("INSERT INTO t VALUES (?)", x);
      throw new Error("failed");
    };
    const plain = await attempt(() => storage.transactionSync(() => insert("plain")));
    const async_ = await attempt(() => storage.transactionSync(async () => insert("async")));
    return { plain, async: async_, rows: storage.sql.exec("SELECT x FROM t").toArray().map((row) => row.x) };
  }
}

async function test(env) {
  return env.OBJECTS.getByName("one").run();
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

wanted='{"plain":"Error: failed","async":"Error: failed","rows":["async"]}'
seen=$(node main.js)
echo "$seen"
[ "$seen" = "$wanted" ] || { echo "This has changed. It was: $wanted" >&2; exit 1; }
