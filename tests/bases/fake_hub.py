"""A hub on loopback: enough of the real one's answers to tell its refusals apart, and one model it gives."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
# model → (status, the header by which the hub's client tells what it is)
REFUSALS = {
    "meta-llama/Llama-3.1-8B": (401, "GatedRepo"), "org/waiting": (403, "GatedRepo"),
    "org/nobody": (401, "RepoNotFound"), "org/old": (404, "RevisionNotFound"), "org/gguf": (404, "EntryNotFound"),
}


class Hub(BaseHTTPRequestHandler):
    """Serves `folders[model]`; everything else is refused."""

    folders: dict[str, Path] = {}
    asked: list[str] = []

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        self.asked.append(f"{self.command} {self.path}")
        if "/tree/" in self.path and any(f"/{model}/" in self.path for model in self.folders):
            return self._send(b"[]", body)  # a listing: no further chat templates
        model, resolve, rest = self.path.lstrip("/").partition("/resolve/")
        file = self.folders[model] / rest.split("/", 1)[1] if resolve and model in self.folders else None
        if file is None or not file.is_file():
            missing = (404, "EntryNotFound") if file else (404, "RepoNotFound")
            status, code = REFUSALS.get(model, missing)
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("X-Error-Message", f"{code} said by the hub")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._send(file.read_bytes(), body)

    def _send(self, content: bytes, body: bool) -> None:
        self.send_response(200)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Silent: what was asked is in `asked`."""


@contextmanager
def hub(folders: dict[str, Path]) -> Iterator[tuple[str, list[str]]]:
    """(address, what was asked so far) of a hub that has these models."""
    handler = type("OneHub", (Hub,), {"folders": folders, "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", handler.asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
