"""Pushes the time to everybody, every second, with Python's standard library:

    python3 docs/examples/clock/clock.py

Watch it in clock.html beside this file. Ctrl+C ends it.
GATEWAY_URL: the backend's listener. GATEWAY_KEY: an API key with the scope `publish`, where the gateway has keys.
"""

import json
import os
import time
import urllib.request
from datetime import datetime, timezone

URL = os.environ.get("GATEWAY_URL", "http://127.0.0.1:8081") + "/v1/publish"
HEADERS = {"Content-Type": "application/json"}
if os.environ.get("GATEWAY_KEY"):
    HEADERS["Authorization"] = "Bearer " + os.environ["GATEWAY_KEY"]

while True:
    # On the second, whatever the publish before took: sleep(1) would drift.
    time.sleep(1 - time.time() % 1)
    message = {"topic": "clock", "data": {"now": datetime.now(timezone.utc).isoformat(timespec="milliseconds")}}
    try:
        with urllib.request.urlopen(urllib.request.Request(URL, json.dumps(message).encode(), HEADERS), timeout=1) as answer:
            print(answer.read().decode(), flush=True)
    except OSError as error:
        # Not repeated: the next second brings a better message.
        print(f"not published: {error}", flush=True)
