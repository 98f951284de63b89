"""An OpenAI-compatible endpoint on loopback that does what a test's plan says: answer, refuse, fail, hang, hang up."""

from __future__ import annotations

import hashlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lab.core.types import ModelSource


@dataclass(frozen=True)
class Act:
    """What happens to one request. `status` 0: the connection is reset; -1: nothing ever comes."""

    status: int = 200
    text: str | None = None  # of the reply; None: the request's own name
    body: bytes | None = None  # in place of a reply
    headers: dict[str, str] = field(default_factory=dict)
    usage: dict[str, int] | None = field(default_factory=lambda: {"prompt_tokens": 10, "completion_tokens": 5})


Plan = Callable[[int, dict[str, Any]], Act]


def name_of(body: dict[str, Any]) -> str:
    """Of a request: the same for the same question, whoever asks it and when."""
    told = json.dumps([body["messages"], body["seed"], body["temperature"]], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:12]


class Endpoint:
    """Remembers what it was asked: names in the order in which they came, and those it has answered."""

    def __init__(self, plan: Plan | None = None, latency_s: float = 0.0):
        self.plan, self.latency_s = plan or (lambda number, body: Act()), latency_s
        self.received: list[str] = []
        self.delivered: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.running = self.most = self.port = 0
        self.lock = threading.Lock()

    def source(self, at: str, **facts: Any) -> ModelSource:
        known = dict(ref="remote:big", label="big", base="big", kind="remote", url=f"{at}/v1", remote_model="big")
        return ModelSource(**known | facts)


@contextmanager
def serving(endpoint: Endpoint) -> Iterator[str]:
    """Its URL while the block lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", endpoint.port), _handler(endpoint))
    endpoint.port = server.server_port  # it comes back at the same address
    server.daemon_threads, server.request_queue_size = True, 256
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that hang up are part of the test
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _handler(endpoint: Endpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with endpoint.lock:
                number = len(endpoint.received)
                endpoint.received.append(name_of(body))
                endpoint.bodies.append(body)
                endpoint.headers.append(dict(self.headers))
                endpoint.running += 1
                endpoint.most = max(endpoint.most, endpoint.running)
            try:
                time.sleep(endpoint.latency_s)
                self._do(endpoint.plan(number, body), body)
            finally:
                with endpoint.lock:
                    endpoint.running -= 1

        def _do(self, act: Act, body: dict[str, Any]) -> None:
            if act.status == -1:
                time.sleep(30)
            if act.status <= 0:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
                return
            told = act.body if act.body is not None else _reply(act, body)
            self.send_response(act.status)
            for name, value in {"content-type": "application/json", "content-length": str(len(told)),
                                **act.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told)
            self.wfile.flush()
            if act.status == 200 and act.body is None:
                with endpoint.lock:
                    endpoint.delivered.append(name_of(body))

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def _reply(act: Act, body: dict[str, Any]) -> bytes:
    if act.status != 200:
        return json.dumps({"error": {"message": act.text or "no"}}).encode()
    message = {"role": "assistant", "content": name_of(body) if act.text is None else act.text}
    told: dict[str, Any] = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    return json.dumps(told | ({"usage": act.usage} if act.usage is not None else {})).encode()
