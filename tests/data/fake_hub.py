"""A hub on loopback: one process serves data set repositories as the real one does, as far as downloads go."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "a" * 40


@dataclass
class FakeHub:
    """Repositories by id: path → content. A gated one answers 403 without a token."""

    repositories: Mapping[str, Mapping[str, bytes]]
    gated: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, token: str | None) -> tuple[int, dict[str, str], bytes]:
        """(status, headers, body) of one request."""
        self.asked.append(path)
        parts = path.strip("/").split("/")
        api = parts[:2] == ["api", "datasets"]
        parts = parts[2:] if api else parts[1:]
        name, rest = "/".join(parts[:2]), parts[2:]
        if name not in self.repositories:
            return 401, {"X-Error-Code": "RepoNotFound"}, b"{}"
        if name in self.gated and token != "Bearer hf_allowed":
            return 403, {"X-Error-Code": "GatedRepo"}, b"{}"
        if len(rest) > 1 and rest[1] not in ("main", COMMIT):
            return 404, {"X-Error-Code": "RevisionNotFound"}, b"{}"
        files = self.repositories[name]
        if api and rest and rest[0] in ("tree", "paths-info"):
            folder = "/".join(rest[2:])
            wanted = (path for path in files if path.startswith(f"{folder}/" if folder else ""))
            return 200, {}, json.dumps([_entry(path, files[path]) for path in wanted]).encode()
        if api:
            listed = [{"rfilename": path} for path in files]
            return 200, {}, json.dumps({"id": name, "sha": COMMIT, "siblings": listed}).encode()
        content = files.get("/".join(rest[2:]))
        if content is None:
            return 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}, b"{}"
        return 200, {"X-Repo-Commit": COMMIT, "ETag": f'"{_oid(content)}"'}, content


def _entry(path: str, content: bytes) -> dict[str, object]:
    return {"type": "file", "path": path, "size": len(content), "oid": _oid(content)}


def _oid(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


@contextmanager
def serving(hub: FakeHub) -> Iterator[FakeHub]:
    """`hub` with its address, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, body = hub.answer(unquote(urlsplit(self.path).path), self.headers.get("Authorization"))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
