"""Publishes one message with Python's standard library:

    python3 docs/examples/publish/publish.py demo:hello "hello from Python"

GATEWAY_URL: the backend's listener. GATEWAY_KEY: an API key with the scope `publish`, where the gateway has keys.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid

URL = os.environ.get("GATEWAY_URL", "http://127.0.0.1:8081") + "/v1/publish"
KEY = os.environ.get("GATEWAY_KEY")


def publish(topic, data, attempts=4):
    """Gives the message's place: {"topic", "epoch", "offset"}."""
    # One id for all attempts: no answer doesn't mean that the message wasn't published, and a repeat of one that was
    # gets the first one's answer.
    body = {"topic": topic, "messageId": str(uuid.uuid4()), "data": data}
    headers = {"Content-Type": "application/json"}
    if KEY:
        headers["Authorization"] = "Bearer " + KEY
    request = urllib.request.Request(URL, json.dumps(body).encode(), headers)
    for attempt in range(1, attempts + 1):
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            # 503 is "not now"; what else is refused would be refused again.
            if refused.code != 503 or attempt == attempts:
                # The gateway's words, or a page of a proxy between.
                words = refused.read().decode(errors="replace")
                raise RuntimeError(f"{refused.code} {refused.reason}: {words}") from None
        except OSError:
            if attempt == attempts:
                raise
        time.sleep(0.5 * 2**attempt)  # 1, 2, 4 s: longer than a gateway takes to restart


if __name__ == "__main__":
    topic = sys.argv[1] if len(sys.argv) > 1 else "demo:hello"
    text = sys.argv[2] if len(sys.argv) > 2 else "hello from Python"
    print(publish(topic, {"text": text}))
