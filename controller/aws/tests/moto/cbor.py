"""A bridge to moto's CloudWatch for clients that speak Smithy RPC v2 in CBOR, as the Rust SDK does: moto knows only the
older protocols, and answers 404 to this one (getmoto/moto#9195). A request is told to moto in AWS JSON, which differs in
nothing but the encoding, and its answer is told back; botocore's model says what is a moment and what a number."""
import datetime
import io
import json

import botocore.session
import cbor2

PATH = "/service/GraniteServiceVersion20100801/operation/"
MODEL = botocore.session.get_session().get_service_model("cloudwatch")


def spoken(app):
    """The same application (`app(environ, start_response)`), which now takes CBOR too."""

    def bridged(self, environ, start_response):
        path = environ["PATH_INFO"]
        if not path.startswith(PATH):
            return app(self, environ, start_response)
        operation = path.removeprefix(PATH)
        status, headers, answer = asked(lambda *args: app(self, *args), environ, operation)
        if status.startswith("200"):
            answer = as_cbor(answer, MODEL.operation_model(operation).output_shape)
        body = cbor2.dumps(answer, datetime_as_timestamp=True)
        kept = [(name, value) for name, value in headers if name.lower().startswith("x-amzn")]
        kind = [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]
        start_response(status, kept + kind + [("Content-Length", str(len(body)))])
        return [body]

    return bridged


def asked(app, environ, operation):
    """Asks moto in JSON; answers status, headers and what the body says."""
    said = cbor2.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    body = json.dumps(said, default=datetime.datetime.timestamp).encode()
    told = {
        **environ,
        "PATH_INFO": "/",
        "RAW_URI": "/",
        "REQUEST_URI": "/",
        "HTTP_X_AMZ_TARGET": f"GraniteServiceVersion20100801.{operation}",
        "CONTENT_TYPE": "application/x-amz-json-1.0",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    told.pop("HTTP_SMITHY_PROTOCOL", None)
    head = []
    answer = b"".join(app(told, lambda status, headers, *_: head.extend([status, headers])))
    return *head, json.loads(answer or b"{}")


def as_cbor(value, shape):
    kind = shape.type_name
    if kind == "structure":
        return {name: as_cbor(of, shape.members[name]) for name, of in value.items() if of is not None}
    if kind == "list":
        return [as_cbor(of, shape.member) for of in value]
    if kind == "timestamp":
        return datetime.datetime.fromtimestamp(value, datetime.timezone.utc)
    return float(value) if kind in ("double", "float") else value
