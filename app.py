"""The composition root: settings → store → demo study → worker → web app.

Researcher pages live at /, the rater's own app at /rate. This process never imports torch: jobs and engines are
processes of their own.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from lab.core.errors import LabError
from lab.core.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from storage.database import Store


def build_web(store: Store, settings: Settings) -> FastAPI:
    """One FastAPI with both apps mounted. They are two Blocks because a Blocks' config is readable by all its visitors."""
    import gradio as gr
    from fastapi import FastAPI
    from fastapi.responses import RedirectResponse

    from lab.ui.app_state import LabApp
    from lab.ui.own_host import OwnHostOnly
    from lab.ui.rater.app import build_rater_app
    from lab.ui.shell import build_lab
    from lab.ui.theme import CSS, HEAD, THEME

    lab = LabApp(store, settings)
    web = FastAPI(title="Trace Lab", docs_url=None, redoc_url=None, openapi_url=None)
    web.add_middleware(OwnHostOnly)

    @web.get("/rate/{token}", include_in_schema=False)
    def open_rating(token: str) -> RedirectResponse:
        return RedirectResponse(f"/rate/?t={token}", status_code=307)

    look = {"theme": THEME, "css": CSS, "head": HEAD, "footer_links": [], "run_history": False, "ssr_mode": False}
    gr.mount_gradio_app(web, build_rater_app(lab), path="/rate", show_error=False, **look)
    gr.mount_gradio_app(web, build_lab(lab), path="/", show_error=True, **look)
    return web


def check_port(host: str, port: int) -> None:
    """Raise LabError with one sentence when nothing can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise LabError(
                f"Port {port} on {host} cannot be used ({error.strerror}). Another lab may be running there; "
                f"stop it, or choose another port: LAB_PORT={port + 1 if port < 65535 else 7861} python app.py"
            ) from None


@contextmanager
def worker_beside(settings: Settings) -> Iterator[None]:
    """A worker process while the page runs, unless one runs elsewhere. Its jobs outlive both."""
    if not settings.worker:
        yield
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn raises it again at its end; the worker must go first
    environment = os.environ | {"LAB_HOME": str(settings.home), "LAB_DATABASE_URL": settings.database_url}
    worker = subprocess.Popen([sys.executable, "-m", "jobs", "worker"], env=environment, start_new_session=True)
    try:
        yield
    finally:
        worker.terminate()
        try:
            worker.wait(10)
        except subprocess.TimeoutExpired:
            worker.kill()


def run() -> None:
    """Start everything; returns when the server ends."""
    settings = Settings.from_env()
    check_port(settings.host, settings.port)

    import uvicorn

    from jobs.queue import queue_demo_study
    from storage.database import open_store

    store = open_store(settings.database_url, settings.home)
    queue_demo_study(store)
    web = build_web(store, settings)
    with worker_beside(settings):
        print(f"Trace Lab is at http://{settings.host}:{settings.port}  (things are kept in {settings.home})", flush=True)
        uvicorn.run(web, host=settings.host, port=settings.port, log_level="warning", timeout_graceful_shutdown=2)


def main() -> int:
    try:
        run()
    except LabError as error:
        print(f"Trace Lab did not start. {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
