# SPDX-License-Identifier: Apache-2.0
"""A collector of traces: OTLP over HTTP in JSON, as strict as its protocol.

Each request is checked against what opentelemetry/proto/trace/v1/trace.proto and the collector's
service allow in the JSON of the OTLP specification: ids in lower-case hexadecimal digits, integers
of 64 bits as strings, enums as numbers, names in lowerCamelCase, and nothing unknown."""

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jsonschema

from .settings import DEADLINE


def _object(required: list[str], **properties) -> dict:
    return {"type": "object", "additionalProperties": False, "required": required,
            "properties": properties}


def _list(item: dict) -> dict:
    return {"type": "array", "items": item}


_TEXT = {"type": "string"}
_NAME = {"type": "string", "minLength": 1}
_INT64 = {"type": "string", "pattern": "^-?[0-9]{1,19}$"}
_TIME = {"type": "string", "pattern": "^[1-9][0-9]{18}$"}
_UINT32 = {"type": "integer", "minimum": 0, "maximum": 2 ** 32 - 1}
_SPAN_ID = {"type": "string", "pattern": "^(?!0{16})[0-9a-f]{16}$"}
_TRACE_ID = {"type": "string", "pattern": "^(?!0{32})[0-9a-f]{32}$"}
_VALUE = {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": False,
          "properties": {"stringValue": _TEXT, "boolValue": {"type": "boolean"},
                         "intValue": _INT64, "doubleValue": {"type": "number"}}}
_ATTRIBUTES = _list(_object(["key", "value"], key=_NAME, value=_VALUE))
_SPAN = _object(
    ["traceId", "spanId", "name", "kind", "startTimeUnixNano", "endTimeUnixNano"],
    traceId=_TRACE_ID, spanId=_SPAN_ID, parentSpanId=_SPAN_ID, traceState=_TEXT, flags=_UINT32,
    name=_NAME, kind={"enum": [1, 2, 3, 4, 5]}, startTimeUnixNano=_TIME, endTimeUnixNano=_TIME,
    attributes=_ATTRIBUTES, droppedAttributesCount=_UINT32,
    status=_object([], code={"enum": [0, 1, 2]}, message=_TEXT))
_SCOPE_SPANS = _object(["spans"], scope=_object([], name=_TEXT, version=_TEXT),
                       spans=_list(_SPAN), schemaUrl=_TEXT)
_RESOURCE_SPANS = _object(["scopeSpans"], resource=_object([], attributes=_ATTRIBUTES),
                          scopeSpans=_list(_SCOPE_SPANS), schemaUrl=_TEXT)
SCHEMA = _object(["resourceSpans"], resourceSpans=_list(_RESOURCE_SPANS))


def attributes(of: dict) -> dict:
    """Those of a span or a resource, by name."""
    found = {}
    for one in of["attributes"]:
        assert one["key"] not in found, f"{one['key']} stands there twice"
        (kind, value), = one["value"].items()
        found[one["key"]] = int(value) if kind == "intValue" else value
    return found


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Who leaves in the middle, or does not trust our certificate, is what tests want."""


class Collector:
    """Takes spans; or, as long as there is one in `answers`, says that: (status, headers, body).
    With `open` cleared it reads requests and does not answer."""

    def __init__(self, certificate=None, client_ca: str | None = None, port: int = 0):
        self.requests: list[dict] = []  # documents that were taken
        self.headers: list[dict] = []   # of all requests
        self.times = 0                  # requests there have been
        self.answers: list[tuple[int, dict, bytes]] = []
        self.open = threading.Event()
        self.open.set()
        self.wrong: list[str] = []
        self._changed = threading.Condition()
        self._server = _Server(("127.0.0.1", port), self._handler())
        scheme = "http"
        if certificate is not None:
            scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.cert, certificate.key)
            if client_ca is not None:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(client_ca)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}/v1/traces"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def _handler(self):
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # noqa: N802
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, text = collector._take(self, body)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(text)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        return Handler

    def _take(self, request, body: bytes) -> tuple[int, dict, bytes]:
        with self._changed:
            self.times += 1
            self.headers.append(dict(request.headers))
            self._changed.notify_all()
        self.open.wait(DEADLINE)
        with self._changed:
            self._check(request, body)
            answer = self.answers.pop(0) if self.answers else None
            if answer is None or answer[0] == 200:
                self.requests.append(json.loads(body))
            self._changed.notify_all()
        return answer or (200, {"Content-Type": "application/json"}, b"{}")

    def _check(self, request, body: bytes):
        try:
            assert request.path == "/v1/traces"
            assert request.headers["Content-Type"] == "application/json"
            jsonschema.validate(json.loads(body), SCHEMA)
        except (AssertionError, ValueError, jsonschema.ValidationError) as error:
            self.wrong.append(f"{error}\n{body[:2000]!r}")

    def wait(self, condition, what: str):
        """Until `condition()` holds."""
        with self._changed:
            assert self._changed.wait_for(condition, DEADLINE), what
        assert not self.wrong, self.wrong[0]

    @property
    def spans(self) -> list[dict]:
        """All that were taken."""
        return [span for document in self.requests for resource in document["resourceSpans"]
                for scope in resource["scopeSpans"] for span in scope["spans"]]

    def wait_spans(self, n: int) -> list[dict]:
        self.wait(lambda: len(self.spans) >= n, f"there are no {n} spans")
        assert len(self.spans) == n
        return self.spans

    def wait_requests(self, n: int):
        self.wait(lambda: self.times >= n, f"there are no {n} requests")

    def close(self):
        self.open.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        assert not self.wrong, self.wrong[0]
