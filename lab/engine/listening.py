"""Listening: an engine's web application on a free loopback port, served by a thread. No torch here."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from lab.core.errors import LabError


@contextmanager
def listening(app: FastAPI, port: int = 0) -> Iterator[str]:
    """Serve `app` on 127.0.0.1 while the block runs; its URL. Port 0 takes a free one.

    The server has a thread of its own, because uvicorn in the main thread would take the job's signal handlers.
    """
    sock = _bound(port)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, args=([sock],), name="engine-http", daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise LabError("the engine's web server did not start; the log above says why", "bug")
            time.sleep(0.005)
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        sock.close()


def _bound(port: int) -> socket.socket:
    """A bound socket; binding here instead of in uvicorn makes the chosen port known before the server starts."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
    except OSError:
        sock.close()
        raise LabError(f"port {port} is in use; choose another one, or 0 for any free port", "spec") from None
    return sock
