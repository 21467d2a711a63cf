#!/bin/sh
# The platform's Python client changes what the API answers for an instance, and does not send its token.
#
# Versions:   cloudflare 5.9.0 from PyPI, Python 3.11 to 3.14
# Behaviour:  Answers go into models by a union of types: the first that takes a value wins, and where none does, one is
#             filled all the same. Of credentials in the environment one is sent, and CLOUDFLARE_EMAIL comes first.
# One would guess: an output is what the JSON holds, a sleep is of the class of sleeps, and a token that is given to the
#             client is sent.
# Seen:       The output `true` is 1.0. A sleep under way, whose `end` is null, is of the class of a step. With
#             CLOUDFLARE_EMAIL in the environment the request carries that, and no token.
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
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

WHEN = "2026-03-02T09:00:00Z"
SLEEP = {"type": "sleep", "name": "cool down-1", "start": WHEN, "end": None, "finished": False, "error": None}
INSTANCE = {
    **{"status": "complete", "params": {}, "queued": WHEN, "versionId": "v", "trigger": {"source": "api"}},
    **{"step_count": 1, "steps": [SLEEP], "output": True},
}
sent = []


class Api(BaseHTTPRequestHandler):
    def do_GET(self):
        sent.append(sorted(name for name in ("Authorization", "X-Auth-Email") if name in self.headers))
        body = json.dumps({"success": True, "errors": [], "messages": [], "result": INSTANCE}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Api)
threading.Thread(target=server.serve_forever, daemon=True).start()

from cloudflare import Cloudflare  # noqa: E402

os.environ["CLOUDFLARE_EMAIL"] = "ada@example.com"
client = Cloudflare(api_token="token", base_url=f"http://127.0.0.1:{server.server_port}")
found = client.workflows.instances.get("a", account_id="account", workflow_name="orders")
print(json.dumps({"output": repr(found.output), "sleep": type(found.steps[0]).__name__, "sent": sent}))
END

wanted='{"output": "1.0", "sleep": "StepUnionMember0", "sent": [["X-Auth-Email"]]}'
seen=$(env/bin/python main.py)
echo "$seen"
[ "$seen" = "$wanted" ] || { echo "This has changed. It was: $wanted" >&2; exit 1; }
