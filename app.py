"""The composition root: settings → store → demo study → worker → web app.

Researcher pages live at /, the rater's own app at /rate. This process never imports torch: jobs and engines are
processes of their own, unless answers are asked of it in process (docs/guide/spaces.md).
"""

from __future__ import annotations

import os
import socket
import sys
import warnings
from typing import TYPE_CHECKING

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from lab.core.errors import LabError
from lab.core.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from storage.database import Store


def build_web(store: Store, settings: Settings) -> FastAPI:
    """One FastAPI with both apps mounted. They are two, because all visitors of a Blocks can read its whole config."""
    import gradio as gr
    from fastapi import FastAPI

    from lab.ui.access import leaving
    from lab.ui.access.gate import Gate, user_of
    from lab.ui.app_state import LabApp
    from lab.ui.own_host import OwnHostOnly
    from lab.ui.rater.app import mount_rater
    from lab.ui.shell import build_lab
    from lab.ui.theme import CSS, HEAD, THEME

    lab = LabApp(store, settings)
    web = FastAPI(title="Trace Lab", docs_url=None, redoc_url=None, openapi_url=None)
    web.add_middleware(Gate, lab=lab)
    web.add_middleware(OwnHostOnly)  # added last, so around the gate and its own pages, too
    warnings.filterwarnings("ignore", message="SSR mode is not supported")  # said although ssr_mode is off
    mount_rater(web, lab)  # before "/", which would answer for every address
    look = {"theme": THEME, "css": CSS, "head": HEAD, "footer_links": []}
    if settings.needs_login:
        look |= {"css": CSS + leaving.CSS, "head": HEAD + leaving.HEAD, "auth_dependency": user_of}
    return gr.mount_gradio_app(web, build_lab(lab), path="/", run_history=False, ssr_mode=False, **look)


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


def run() -> None:
    """Start everything; returns when the server ends."""
    from lab.engine.in_process import prepare
    from lab.ui.access.starting import check_accounts, check_login, show_access_log

    settings = Settings.from_env()
    check_login(settings)
    check_port(settings.host, settings.port)
    prepare(settings)

    import uvicorn

    from jobs.keeper import keep_worker
    from jobs.queue import queue_demo_study
    from storage.database import open_store

    store = open_store(settings.database_url, settings.home)
    check_accounts(settings, store)
    queue_demo_study(store)
    show_access_log()
    web = build_web(store, settings)
    if settings.worker:
        keep_worker(settings)
    print(f"Trace Lab: http://{settings.host}:{settings.port}  (things are kept in {settings.home})", flush=True)
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
