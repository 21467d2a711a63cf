#!/bin/sh
# A bulk get of KV leaves out the keys that look like whole numbers.
#
# Versions:   miniflare 5.20261117.0-beta, workerd 1.20261117.1 (the local engine of wrangler 4.164.0)
# Behaviour:  get() with a list gives a Map of key to value. Keys such as "2" and "10" are not in it, whether they
#             exist or not; "07" and "1.5" are, and a get of "2" alone finds its value.
# One would guess: the Map has every key that was asked for, with null where there is no value (as it does for other
#             keys).
# Seen:       five keys were asked for that exist, and three came.
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
  const keys = ["a", "2", "10", "07", "1.5"];
  for (const key of keys) await env.KV.put(key, `value of ${key}`);
  return {
    one: await env.KV.get("2"),
    bulk: [...(await env.KV.get(keys)).keys()],
    missing: [...await env.KV.get(["b", "3"])],
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
  kvNamespaces: ["KV"],
}));
console.log(await (await miniflare.dispatchFetch("http://localhost/")).text());
await miniflare.dispose();
EOF

wanted='{"one":"value of 2","bulk":["a","07","1.5"],"missing":[["b",null]]}'
seen=$(node main.js)
echo "$seen"
[ "$seen" = "$wanted" ] || { echo "This has changed. It was: $wanted" >&2; exit 1; }
