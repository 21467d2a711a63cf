#!/bin/sh
# R2 answers a Range header that is past the end with the whole object.
#
# Versions:   miniflare 5.20261117.0-beta, workerd 1.20261117.1 (the local engine of wrangler 4.164.0)
# Behaviour:  get() takes range as {offset, length} or as Headers. What it cannot satisfy is an error in the first
#             form; in the second the range is left out, without a word.
# One would guess: both forms fail alike, or the header leads to what status 416 stands for. Who resumes a download
#             with "bytes=10-" after ten bytes of ten appends the object a second time.
# Seen:       offset 10 of 10 bytes rejects with 10039; the header for the same range gives all ten bytes.
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
  await env.BUCKET.put("key", "0123456789");
  const text = (range) => attempt(async () => (await env.BUCKET.get("key", { range })).text());
  return {
    offset: await text({ offset: 10 }),
    header: await text(new Headers({ Range: "bytes=10-" })),
    far: await text(new Headers({ Range: "bytes=100-200" })),
    inside: await text(new Headers({ Range: "bytes=8-" })),
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
  r2Buckets: ["BUCKET"],
}));
console.log(await (await miniflare.dispatchFetch("http://localhost/")).text());
await miniflare.dispose();
EOF

wanted='{"offset":"Error: get: The requested range is not satisfiable (10039)","header":"0123456789","far":"0123456789","inside":"89"}'
seen=$(node main.js)
echo "$seen"
[ "$seen" = "$wanted" ] || { echo "This has changed. It was: $wanted" >&2; exit 1; }
