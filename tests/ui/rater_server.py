"""The rater's app alone on a port, as a process that can be killed: `python -m tests.ui.rater_server HOME PORT`."""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI

from lab.core.settings import Settings
from lab.ui.app_state import LabApp
from lab.ui.rater.app import mount_rater
from storage.database import open_store


def main(home: str, port: str) -> None:
    web = FastAPI()
    mount_rater(web, LabApp(open_store(home=home), Settings.from_env({"LAB_HOME": home})))
    uvicorn.run(web, host="127.0.0.1", port=int(port), log_level="warning")


if __name__ == "__main__":
    main(*sys.argv[1:])
