"""What schemathesis can't know of the gateway by itself. See OpenApiIT."""

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    """A stream of publishes."""
    return value.encode() if isinstance(value, str) else repr(value).encode()


@schemathesis.hook
def map_body(context, body):
    """Numbers that are merged have 40 decimal places at most, which a schema can't say."""
    if isinstance(body, dict) and "merge" in body:
        data = body.get("data")
        if isinstance(data, float):
            body["data"] = round(data, 9)
        elif isinstance(data, dict) and isinstance(data.get("score"), float):
            data["score"] = round(data["score"], 9)
    return body
