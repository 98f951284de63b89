"""A job's energy: the meter that its process carries, and the account of it that its row keeps.

The runner meters every kind of job; no task knows of it. Each start on each machine leaves one file of readings in
`energy/` of the job's folder, rewritten every ten seconds, so that an attempt that is killed loses ten seconds of its
energy at most. Their sum is worked out by the worker when an attempt ends, and again at the next one's end.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any

from jobs.processes import MARK, marked
from lab.core.errors import LabError
from lab.core.settings import Settings
from lab.energy.account import Place, account
from lab.energy.host import machine
from lab.energy.meter import FOLDER, Meter
from lab.energy.tables import look_up
from storage.files import JobFolder, read_json


def start_meter(folder: JobFolder, attempt: int) -> Meter:
    """Meter this machine's processes of the job, its GPUs included, until `stop`."""
    uid = os.environ.get(MARK)
    return Meter(folder.path, attempt, lambda: marked(uid) if uid else ()).start()


def start_meter_of_this_node(folder: JobFolder, attempt: int) -> Meter | None:
    """For a rank: the job's own process meters its machine; the first rank of each other machine meters that one."""
    first_here = os.environ.get("LOCAL_RANK", "0") == "0"
    return start_meter(folder, attempt) if first_here and os.environ.get("GROUP_RANK", "0") != "0" else None


def look_up_this_machine() -> threading.Thread:
    """Ask codecarbon about it beside the work, so that the end of a worker's first job need not wait for the answer.

    What goes wrong here goes wrong again there, and is told then.
    """
    def ask() -> None:
        try:
            here = machine()
            look_up([here.cpu_model], [here.memory_gib], place_of(os.environ).country)
        except (LabError, OSError, StopIteration):
            return

    thread = threading.Thread(target=ask, name="energy tables", daemon=True)
    thread.start()
    return thread


def energy_of(folder: JobFolder, environment: Mapping[str, str] = os.environ) -> dict[str, Any] | None:
    """What all attempts so far have used, as a row keeps it. None: nothing was metered. It never raises."""
    try:
        readings = read_readings(folder)
        if not readings:
            return None
        place = place_of({**environment, **readings[-1]["place"]})
        machines = [reading["machine"] for reading in readings if reading["machine"]]
        known = look_up([each["cpu_model"] for each in machines], [each["memory_gib"] for each in machines],
                        place.country)
        return account(readings, known, place)
    except LabError as error:
        return {"unknown": str(error)}
    except Exception as error:  # a file cut by a power failure must not keep a job from ending
        return {"unknown": f"the readings cannot be read: {type(error).__name__}: {error}"}


def read_readings(folder: JobFolder) -> list[dict[str, Any]]:
    """In the order in which they began: names start with the attempt and the time."""
    files = sorted((folder.path / FOLDER).glob("[0-9]*-[0-9]*-*.json"), key=lambda file: int(file.name.split("-")[1]))
    return [reading for reading in map(read_json, files) if reading is not None]


def place_of(environment: Mapping[str, str]) -> Place:
    """A cluster elsewhere says where it is in its profile's setup lines; otherwise the worker's settings hold."""
    settings = Settings.from_env(environment)
    return Place(settings.country, settings.grid_g_per_kwh, settings.pue)
