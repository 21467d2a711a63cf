#!/bin/sh
# The platform's Python client sends a create again, up to twice, where the API answers 409, 429 or 5xx.
#
# Versions:   cloudflare 5.9.0 from PyPI, Python 3.11 to 3.14
# Behaviour:  A POST that creates an instance is repeated like a GET, without a key by which the API could tell that it
#             is the same one. An answer with the header `x-should-retry: false` ends that.
# One would guess: what is not idempotent is sent once, and the error is raised.
# Seen:       Of one call `instances.create(...)` without an id, three requests arrive where each is answered with 503;
#             with `x-should-retry: false` it is one. A server that was slow and did the work has three instances.
#
# Installs the pinned package into a temporary environment, asks a server on 127.0.0.1, and exits with 0 while the
# behaviour is the same, with 1 when it has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check cloudflare==5.9.0 > install.log 2>&1 ||
  { cat install.log >&2; exit 2; }

cat > main.py <<'END'
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

arrived = {"plain": 0, "told": 0}


class Api(BaseHTTPRequestHandler):
    def do_POST(self):
        kind = "told" if "/told/" in self.path else "plain"
        arrived[kind] += 1
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.dumps({"success": False, "errors": [], "messages": [], "result": None}).encode()
        self.send_response(503)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if kind == "told":
            self.send_header("x-should-retry", "false")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Api)
threading.Thread(target=server.serve_forever, daemon=True).start()

from cloudflare import Cloudflare, InternalServerError  # noqa: E402

client = Cloudflare(api_token="token", base_url=f"http://127.0.0.1:{server.server_port}")
for name in ("plain", "told"):
    try:
        client.workflows.instances.create(name, account_id="account", params={})
    except InternalServerError:
        pass
print(json.dumps(arrived))
END

wanted='{"plain": 3, "told": 1}'
seen=$(env/bin/python main.py)
echo "$seen"
[ "$seen" = "$wanted" ] || { echo "This has changed. It was: $wanted" >&2; exit 1; }
