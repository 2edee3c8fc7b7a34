#!/usr/bin/env bash
# obstore: the same answer of an S3 server is another class of error by operation. A missing bucket is
# FileNotFoundError to `get` and GenericError to `list`; a refused one is PermissionDeniedError to
# `get` and GenericError to `list`. Whoever decides by class takes a refused list for an outage.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check obstore==0.12.1
"$folder/venv/bin/python" - <<'PYTHON'
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

import obstore
from obstore.store import S3Store

ERRORS = {"/missing": (404, "NoSuchBucket"), "/refused": (403, "AccessDenied")}


class Server(BaseHTTPRequestHandler):
    """Answers as S3 does for a bucket that is not there, and for one that may not be read."""

    def do_GET(self):
        status, code = next(e for path, e in ERRORS.items() if self.path.startswith(path))
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode()
        self.send_response(status)
        self.send_header("content-type", "application/xml")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def class_of(call):
    try:
        call()
    except Exception as error:
        return type(error).__name__
    return "no error"


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
seen = {}
for bucket in ("missing", "refused"):
    store = S3Store(
        bucket,
        endpoint=f"http://127.0.0.1:{server.server_port}",
        region="us-east-1",
        access_key_id="key",
        secret_access_key="secret",
        client_options={"allow_http": True},
    )
    seen[bucket] = (
        class_of(lambda: obstore.get(store, "object")),
        class_of(lambda: list(obstore.list(store))),
    )
print("obstore", version("obstore"))
for bucket, (get, listed) in seen.items():
    print(f"{bucket}: get raises {get}, list raises {listed}")
expected = {
    "missing": ("FileNotFoundError", "GenericError"),
    "refused": ("PermissionDeniedError", "GenericError"),
}
assert seen == expected, f"no longer so: expected {expected}"
PYTHON
