#!/bin/sh
# D1 takes a comment before a statement, and refuses one after its semicolon.
#
# Versions:   miniflare 5.20261117.0-beta, workerd 1.20261117.1 (the local engine of wrangler 4.164.0)
# Behaviour:  prepare() and exec() want a statement after every semicolon that is followed by anything but white space.
#             exec() runs each line by itself, so that a statement may not span lines either; prepare() lets it.
# One would guess: SQL that SQLite's shell takes, as a schema file holds it, goes through exec().
# Seen:       errors for "SELECT 1; -- note", "SELECT 1;;" and a CREATE TABLE on three lines; a comment in front is
#             fine.
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
const attempt = async (call) => { try { return await call(); } catch (error) { return String(error); } };

async function test(env) {
  const exec = (text) => attempt(async () => `count ${(await env.DB.exec(text)).count}`);
  const prepare = (text) => attempt(async () => `success ${(await env.DB.prepare(text).run()).success}`);
  return {
    before: await exec("/* note */ SELECT 1;"),
    after: await exec("SELECT 1; -- note"),
    prepared: await prepare("SELECT 1; -- note"),
    twice: await exec("SELECT 1;;"),
    lines: await exec("CREATE TABLE a (\n  x INTEGER\n);"),
    preparedLines: await prepare("CREATE TABLE b (\n  x INTEGER\n);"),
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

wanted='{"before":"count 1","after":"Error: D1_EXEC_ERROR: Error in line 1: SELECT 1; -- note: SQL code did not contain a statement.","prepared":"Error: D1_ERROR: SQL code did not contain a statement.","twice":"Error: D1_EXEC_ERROR: Error in line 1: SELECT 1;;: SQL code did not contain a statement.","lines":"Error: D1_EXEC_ERROR: Error in line 1: CREATE TABLE a (: incomplete input: SQLITE_ERROR","preparedLines":"success true"}'
seen=$(node main.js)
echo "$seen"
[ "$seen" = "$wanted" ] || { echo "This has changed. It was: $wanted" >&2; exit 1; }
