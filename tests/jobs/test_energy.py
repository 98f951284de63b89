"""Energy from the job's process to its row: every ending, several attempts, where a job ran."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from jobs.cli.commands import main
from jobs.energy import energy_of, look_up_this_machine, place_of, read_readings, start_meter_of_this_node
from jobs.queue import request_cancel, submit
from lab.core.errors import LabError
from lab.energy import tables
from lab.energy.account import Place
from lab.energy.host import machine
from lab.energy.tables import look_up
from storage.database import Store
from storage.files import JobFolder
from tests.energy.readings import reading
from tests.jobs.conftest import ended, now_of, wait_for
from tests.sqlite_alone import store_url  # noqa: F401  once, and not on every database


def test_a_job_that_succeeds_fails_or_is_cancelled_has_its_energy_in_its_row(working: Store) -> None:
    done = ended(working, submit(working, "echo", {"steps": 5, "pause_s": 0.05}).jobs[0])
    failed = ended(working, submit(working, "fail", {"how": "bug"}).jobs[0])
    running = submit(working, "echo", {"steps": 1000, "pause_s": 0.05}).jobs[0]
    wait_for(lambda: now_of(working, running).progress_done > 2)
    request_cancel(working, running.id)
    for row, state in ((done, "succeeded"), (failed, "failed"), (ended(working, running), "cancelled")):
        assert row.state == state and row.energy is not None
        assert 0 < row.energy["kwh_low"] < row.energy["kwh"] < row.energy["kwh_high"]
        assert row.energy["kg_co2"] == pytest.approx(
            row.energy["kwh"] * row.energy["pue"] * row.energy["g_per_kwh"] / 1000
        )
        assert row.energy["parts"]["cpu"]["kwh"] > 0 and row.energy["attempts"] == 1


def test_an_attempt_that_was_killed_is_paid_for_too(working: Store) -> None:
    job = submit(working, "climb", {"steps": 30, "pause_s": 0.2, "save_every": 2}).jobs[0]
    wait_for(lambda: now_of(working, job).progress_done >= 4)
    os.kill(now_of(working, job).pid, signal.SIGKILL)
    wait_for(lambda: now_of(working, job).energy is not None)
    lost = now_of(working, job).energy
    row = ended(working, job)
    assert (row.state, row.attempt, row.energy["attempts"]) == ("succeeded", 2, 2)
    assert row.energy["kwh"] > lost["kwh"] > 0
    first, second = read_readings(working.home.job(job.uid))
    assert (first["attempt"], first["ended"], second["attempt"], second["ended"]) == (1, False, 2, True)


def _left(folder: JobFolder, name: str, text: str) -> None:
    (folder.path / "energy").mkdir(exist_ok=True)
    (folder.path / "energy" / name).write_text(text)


def test_a_file_cut_short_is_told_and_never_stands_in_the_way(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    assert energy_of(folder, {}) is None
    _left(folder, "1-1-a.json", json.dumps({"attempt": 1, "place": {}}))
    assert "cannot be read" in energy_of(folder, {})["unknown"]


def test_where_the_job_ran_is_taken_before_where_the_worker_is(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    _left(folder, "1-1-a.json", json.dumps(reading(place={"LAB_COUNTRY": "FRA"})))
    found = energy_of(folder, {"LAB_COUNTRY": "POL", "LAB_PUE": "1.5"})
    assert found["g_per_kwh"] == pytest.approx(56.039) and found["pue"] == 1.5


def test_the_settings_make_the_place_and_wrong_ones_are_all_named() -> None:
    given = {"LAB_COUNTRY": "che", "LAB_GRID_G_PER_KWH": "20", "LAB_PUE": "1.1"}
    assert place_of(given) == Place("CHE", 20.0, 1.1) and place_of({}) == Place("", None, 1.0)
    with pytest.raises(LabError, match="(?s)LAB_GRID.*LAB_PUE.*LAB_COUNTRY"):
        place_of({"LAB_COUNTRY": "Suisse", "LAB_GRID_G_PER_KWH": "-1", "LAB_PUE": "0.9"})


def test_only_the_first_rank_of_another_machine_meters_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, metering = JobFolder(tmp_path), []
    for local, node in (("0", "0"), ("1", "0"), ("1", "1"), ("0", "1")):
        monkeypatch.setenv("LOCAL_RANK", local)
        monkeypatch.setenv("GROUP_RANK", node)
        meter = start_meter_of_this_node(folder, 1)
        if meter is not None:
            meter.stop()
            metering.append((local, node))
    assert metering == [("0", "1")] and len(read_readings(folder)) == 1


def test_a_start_leaves_one_file_of_readings_and_show_tells_what_they_came_to(working: Store, capsys) -> None:
    job = ended(working, submit(working, "echo", {}).jobs[0])
    assert len(list((working.home.job(job.uid).path / "energy").iterdir())) == 1
    assert main(["show", str(job.id)]) == 0
    shown = capsys.readouterr().out
    assert "energy  " in shown and "Wh (" in shown and "CO2" in shown and "grid 475 g CO2 per kWh" in shown


def test_a_worker_knows_its_machine_before_its_first_job_ends() -> None:
    look_up_this_machine().join(120)
    here = machine()
    before = tables._ask.cache_info().misses
    assert look_up([here.cpu_model], [here.memory_gib], "").memory_watts and tables._ask.cache_info().misses == before
