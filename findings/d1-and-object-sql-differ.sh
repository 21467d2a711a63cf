#!/bin/sh
# D1 and the SQLite of a Durable Object bind and return the same values in different ways.
#
# Versions:   miniflare 5.20261117.0-beta, workerd 1.20261117.1 (the local engine of wrangler 4.164.0)
# Behaviour:  D1 binds true as 1.0 and a list of numbers as a BLOB, refuses an object, and returns a BLOB as an array
#             of numbers. sql.exec turns all three into text first, and returns an ArrayBuffer.
# One would guess: both are SQLite in the same runtime, so that SQL and values move from one to the other as they are.
# Seen:       `WHERE active = ?` with true finds the row with active = 1 in D1, and none in the Durable Object ("true"
#             is no number).
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

async function compare(first) {
  return {
    active: await first("SELECT count(*) AS v FROM (SELECT 1 AS active) WHERE active = ?", true),
    true: await first("SELECT typeof(?) AS v", true),
    list: await first("SELECT typeof(?) AS v", [1, 2]),
    object: await attempt(() => first("SELECT ? AS v", { a: 1 })),
    blob: (await first("SELECT x'0102' AS v")).constructor.name,
  };
}

export class Thing extends DurableObject {
  async compare() {
    return compare((text, ...values) => this.ctx.storage.sql.exec(text, ...values).one().v);
  }
}

async function test(env) {
  return {
    d1: await compare((text, ...values) => env.DB.prepare(text).bind(...values).first("v")),
    object: await env.OBJECTS.getByName("one").compare(),
  };
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
  d1Databases: ["DB"],
  durableObjects: { OBJECTS: { className: "Thing", useSQLite: true } },
}));
console.log(await (await miniflare.dispatchFetch("http://localhost/")).text());
await miniflare.dispose();
EOF

wanted='{"d1":{"active":1,"true":"real","list":"blob","object":"Error: D1_TYPE_ERROR: Type '"'"'object'"'"' not supported for value '"'"'[object Object]'"'"'","blob":"Array"},"object":{"active":0,"true":"text","list":"text","object":"[object Object]","blob":"ArrayBuffer"}}'
seen=$(node main.js)
echo "$seen"
[ "$seen" = "$wanted" ] || { echo "This has changed. It was: $wanted" >&2; exit 1; }
