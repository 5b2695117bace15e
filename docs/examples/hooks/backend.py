"""A backend that the gateway asks before clients may do something, with Python's standard library:

    BARRAGE_HOOKS_SECRET=whsec_... python3 docs/examples/hooks/backend.py

BARRAGE_HOOKS_SECRET: the gateway's hooks.secret. PORT: 8090 if it isn't set.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = base64.b64decode(os.environ["BARRAGE_HOOKS_SECRET"].removeprefix("whsec_"))
SESSIONS = {"session-of-ann": "ann", "session-of-eve": "eve"}
BANNED = ["eve"]


def is_trusted(headers, body):
    """Whether a request is the gateway's, and not an old one that somebody plays again."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > 300:
        return False
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(SECRET, signed, hashlib.sha256)).decode()
    # Two, while secrets are changed.
    signatures = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(signature.encode(), expected.encode()) for signature in signatures)


def connect(question):
    token = question.get("token")
    if token is None:
        return {"allow": True}  # anonymous: may watch
    user = SESSIONS.get(token)
    if user is None:
        return {"allow": False, "code": 4401, "reason": "this session has ended"}
    if user in BANNED:
        return {"allow": False, "reason": "banned"}
    return {"allow": True, "user": user, "join": ["room:lobby"]}


def subscribe(question):
    if "user" in question or question["topic"] == "room:lobby":
        return {"allow": True}
    return {"allow": False, "reason": "sign in first"}


def publish(question):
    if "user" not in question:
        return {"allow": False, "reason": "sign in first"}
    data = question["data"]
    if type(data) in (int, float):
        return {"allow": True}  # likes
    # A client may send any JSON.
    text = data.get("text") if isinstance(data, dict) else None
    if not isinstance(text, str):
        return {"allow": False, "reason": "a message has a text"}
    if re.search("https?:", text):
        return {"hold": True}  # a moderator publishes it, or doesn't
    if re.search("darn", text, re.IGNORECASE):
        return {"allow": True, "data": {"text": re.sub("darn", "d**n", text, flags=re.IGNORECASE)}}
    return {"allow": True}


def events(batch):
    for event in batch["events"]:
        print(f"{batch['node']}: {json.dumps(event)}", flush=True)
    if "dropped" in batch:
        print(f"{batch['node']}: {batch['dropped']} events were lost", flush=True)
    return {}


HOOKS = {"connect": connect, "subscribe": subscribe, "publish": publish, "events": events}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections
    disable_nagle_algorithm = True  # head and body are two writes, and the second would wait

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not is_trusted(self.headers, body):
            self.answer(401)
            return
        try:
            question = json.loads(body)
            answer = json.dumps(HOOKS[question["type"]](question)).encode()
        except Exception:
            # One question's mistake: the gateway does what `onFailure` says, and the connection goes on.
            traceback.print_exc()
            self.answer(500)
            return
        self.answer(200, answer)

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8090"))), Handler)
    print(f"listening on {server.server_port}", flush=True)
    server.serve_forever()
