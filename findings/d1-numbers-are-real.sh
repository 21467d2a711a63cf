#!/bin/sh
# Every number that is bound in D1 is a REAL, integers too.
#
# Versions:   miniflare 5.20261117.0-beta, workerd 1.20261117.1 (the local engine of wrangler 4.164.0)
# Behaviour:  JavaScript's numbers go to SQLite as doubles. Columns without INTEGER or NUMERIC affinity show it, and so
#             does arithmetic.
# One would guess: a whole number is bound as INTEGER, as Python's own sqlite3 does, and a Python Worker's ints as
#             well.
# Seen:       7 / ? with 2 is 3.5 (7 / 2 is 3). 42 in a TEXT column is "42.0", and a search for '42' finds nothing.
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
async function test(env) {
  const sql = (text, ...values) => env.DB.prepare(text).bind(...values);
  await sql("CREATE TABLE orders (code TEXT)").run();
  await sql("INSERT INTO orders VALUES (?)", 42).run();
  return {
    type: await sql("SELECT typeof(?) AS type", 1).first("type"),
    bound: await sql("SELECT 7 / ? AS half", 2).first("half"),
    written: await sql("SELECT 7 / 2 AS half").first("half"),
    code: await sql("SELECT code FROM orders").first("code"),
    found: await sql("SELECT count(*) AS found FROM orders WHERE code = ?", "42").first("found"),
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
}));
console.log(await (await miniflare.dispatchFetch("http://localhost/")).text());
await miniflare.dispose();
EOF

wanted='{"type":"real","bound":3.5,"written":3,"code":"42.0","found":0}'
seen=$(node main.js)
echo "$seen"
[ "$seen" = "$wanted" ] || { echo "This has changed. It was: $wanted" >&2; exit 1; }
