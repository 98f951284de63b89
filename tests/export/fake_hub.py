"""As much of the hub as an upload needs, on loopback: make a repository, list it, take files (LFS) and a commit."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class FakeHub:
    """What was sent. `files` are a repository's by path; `token` is the only one let in."""

    token: str = "hf_right"
    files: dict[str, bytes] = field(default_factory=dict)
    made: list[dict[str, Any]] = field(default_factory=list)
    objects: dict[str, bytes] = field(default_factory=dict)
    address: str = ""
    asked: list[str] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    hub: FakeHub

    def do_GET(self) -> None:
        self.hub.asked.append(f"GET {self.path}")
        if "/tree/" in self.path:
            return self._say([{"type": "file", "path": name, "size": 1, "oid": "0"} for name in self.hub.files])
        if self.path.startswith("/api/models/"):
            return self._say({"id": "org/name", "sha": "0" * 40, "private": False, "tags": [],
                              "siblings": [{"rfilename": name} for name in self.hub.files]})
        return self._say({"error": "not here"}, 404)

    def do_HEAD(self) -> None:
        self._say({"error": "not here"}, 404)

    def do_PUT(self) -> None:
        self.hub.objects[self.path.rsplit("/", 1)[1]] = self._body()
        self._say({})

    def do_POST(self) -> None:
        self.hub.asked.append(f"POST {self.path}")
        body = self._body()
        if self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            return self._say({"error": "Invalid user token."}, 401)
        if self.path == "/api/repos/create":
            self.hub.made.append(json.loads(body))
            return self._say({"url": f"{self.hub.address}/org/name", "id": "org/name"})
        if self.path == "/api/validate-yaml":
            return self._say({"errors": [], "warnings": []})
        if "/preupload/" in self.path:
            found = [{"path": file["path"], "shouldIgnore": False, "oid": None,
                      "uploadMode": "lfs" if file["path"].endswith(".safetensors") else "regular"}
                     for file in json.loads(body)["files"]]
            return self._say({"files": found})
        if self.path.endswith("/info/lfs/objects/batch"):
            found = [{"oid": item["oid"], "size": item["size"],
                      "actions": {"upload": {"href": f"{self.hub.address}/objects/{item['oid']}", "header": {}}}}
                     for item in json.loads(body)["objects"]]
            return self._say({"transfer": "basic", "objects": found})
        if "/commit/" in self.path:
            return self._commit([json.loads(line) for line in body.splitlines()])
        return self._say({"error": f"unknown: {self.path}"}, 404)

    def _commit(self, lines: list[dict[str, Any]]) -> None:
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                self.hub.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                self.hub.files[value["path"]] = self.hub.objects[value["oid"]]
        oid = "1" * 40
        self._say({"success": True, "commitOid": oid, "commitUrl": f"{self.hub.address}/org/name/commit/{oid}"})

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _say(self, value: Any, status: int = 200) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        return


@contextmanager
def fake_hub() -> Iterator[FakeHub]:
    hub = FakeHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"hub": hub}))
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
