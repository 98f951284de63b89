"""A served rater's page and what a hand on the keyboard does there, for the browser tests of /rate."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from lab.core.settings import Settings
from lab.ui.access.rate_limit import RateLimit
from lab.ui.app_state import LabApp
from lab.ui.rater.app import mount_rater
from lab.ui.rater.limits import Limits
from storage.database import Store

CHROMIUM = os.environ.get("LAB_CHROMIUM") or "/usr/bin/chromium"
HAS_CHROMIUM = Path(CHROMIUM).exists()
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync"]
QUIET_MS = 650  # Enter is ignored for 600 ms after a screen appears


class Server:
    """The rater's app over a store; can be ended and begun again on the same port."""

    def __init__(self, store: Store, calls: int = 10**6):
        self.store, self.limits = store, Limits(known=RateLimit(calls, 60))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.start()

    def start(self) -> None:
        web = FastAPI()
        mount_rater(web, LabApp(self.store, Settings.from_env({"LAB_HOME": str(self.store.home)})), self.limits)
        self.server = uvicorn.Server(uvicorn.Config(web, host="127.0.0.1", port=self.port, log_level="error",
                                                    timeout_keep_alive=120, timeout_graceful_shutdown=1))
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.02)

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=10)

    def link(self, token: str) -> str:
        return f"http://127.0.0.1:{self.port}/rate/{token}"


class Hand:
    """A page and a keyboard. Nothing here uses the mouse."""

    def __init__(self, page: Any, axe: Any = None):
        self.page, self.axe, self.faults = page, axe, []
        page.on("pageerror", lambda error: self.faults.append(str(error)))

    def screen(self, name: str) -> None:
        """Wait for a screen, then look at it: focus on its heading, nothing beside the window, and axe's opinion."""
        self.page.wait_for_selector(f'.page[data-screen="{name}"]')
        self.page.wait_for_function("document.activeElement.matches('h1') && !document.querySelector('[aria-busy]')")
        self.look(name)

    def look(self, name: str) -> None:
        if not self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"):
            self.faults.append(f"{name}: wider than the window")
        small = self.page.evaluate(SMALL) if self.page.viewport_size["width"] < 760 else []
        self.faults += [f"{name}: {what} is too small for a thumb" for what in small]
        if self.axe:
            if self.page.evaluate("typeof axe === 'undefined'"):
                self.page.evaluate(self.axe.axe_script)
            self.faults += [f"{name}: {fault}" for fault in self.page.evaluate(SERIOUS)]

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def tab_to(self, selector: str) -> None:
        """Tab until the element has the focus, as a person without a mouse does."""
        for _ in range(40):
            if self.page.evaluate("one => document.activeElement.matches(one)", selector):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{selector} cannot be reached with Tab")

    def enter(self) -> None:
        self.page.wait_for_timeout(QUIET_MS)
        self.page.keyboard.press("Enter")


# What axe-core calls serious or critical: the rule and the first element that breaks it.
SERIOUS = """() => axe.run(document, {resultTypes: ['violations']}).then(found => found.violations
  .filter(one => ['serious', 'critical'].includes(one.impact))
  .map(one => `${one.id} ${one.nodes[0].html.slice(0, 120)}`))"""
SMALL = """() => [...document.querySelectorAll('#rater button, #rater summary, #rater label:has(input)')]
  .filter(one => one.offsetParent && !one.closest('dialog:not([open])') && one.getBoundingClientRect().height < 43.5)
  .map(one => one.textContent.slice(0, 30))"""
