"""Events: whole lines only, broken ones counted, the time left from the pace, and a file that a power cut shortened."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from jobs.file_context import FileContext
from jobs.ingest import LARGEST_STEP, Pace, read_batch
from jobs.queue import submit
from lab.core.errors import LabError
from lab.core.types import ModelSource
from storage.database import Store
from storage.files import Home, JobFolder
from storage.queries.jobs import metrics
from storage.queries.queue import set_paused
from tests.jobs.conftest import ended, now_of, wait_for, worker_thread


@pytest.fixture
def folder(tmp_path: Path) -> JobFolder:
    job = Home(tmp_path).job("u1")
    job.prepare()
    return job


def test_a_line_that_is_still_being_written_is_left_for_the_next_time(folder: JobFolder) -> None:
    context = FileContext(folder, {})
    context.metric(1, loss=0.5)
    whole = folder.events.read_text()
    folder.events.write_text(whole + whole[:20])
    batch = read_batch(folder, 0)
    assert [event["values"] for event in batch.events] == [{"loss": 0.5}] and batch.offset == len(whole)
    folder.events.write_text(whole + whole)
    assert len(read_batch(folder, batch.offset).events) == 1


def test_lines_cut_by_a_full_disk_are_counted_and_do_not_stop_the_rest(folder: JobFolder) -> None:
    good = json.dumps({"t": 1, "type": "progress", "done": 1, "total": 2})
    broken = [good[:9], '{"t": 1, "type": "metric"}', "[1]", '{"type": "x"}']
    folder.events.write_text("".join(line + "\n" for line in [good, *broken, good]))
    batch = read_batch(folder, 0)
    assert len(batch.events) == 2 and batch.n_broken == 4 and batch.offset == folder.events.stat().st_size


@pytest.mark.parametrize("event", [
    {"t": 1.0, "type": "progress", "done": 3, "total": None},
    {"t": 1.0, "type": "progress", "done": "3", "total": 5},
    {"t": 1.0, "type": "metric", "step": LARGEST_STEP + 1, "values": {"loss": 1.0}},
    {"t": 1.0, "type": "metric", "step": 1.5, "values": {"loss": 1.0}},
    {"t": 1.0, "type": "metric", "step": 1, "values": {"loss": "low"}},
    {"t": 1.0, "type": "metric", "step": 1, "values": [1.0]},
    {"t": 1e300, "type": "metric", "step": 1, "values": {"loss": 1.0}},
    {"t": 1.0, "type": "fact", "facts": ["ready"]},
    {"t": 1.0, "type": "rewind", "step": None},
    {"t": 1.0, "type": "wish"},
])
def test_an_event_that_cannot_be_stored_is_counted_as_broken(folder: JobFolder, event: dict) -> None:
    folder.events.write_text(json.dumps(event) + "\n")
    batch = read_batch(folder, 0)
    assert batch.events == [] and batch.n_broken == 1


def test_what_comes_after_a_power_cut_that_shortened_the_events_is_read_in(store: Store) -> None:
    job = submit(store, "climb", {"steps": 40, "pause_s": 0.05, "save_every": 5}).jobs[0]
    events = store.home.job(job.uid).events
    with worker_thread(store):
        wait_for(lambda: now_of(store, job).progress_done > 20)
        _pause(store, True)  # nothing may start meanwhile
        os.kill(now_of(store, job).pid, signal.SIGKILL)
        wait_for(lambda: now_of(store, job).state == "queued")
        os.truncate(events, 700)
        assert now_of(store, job).events_offset > 700
        _pause(store, False)
        row = ended(store, job)
    assert row.state == "succeeded" and row.result["begun_at"] >= 20
    with store.read() as session:
        assert [step for step, _ in metrics(session, job.id, "height")] == list(range(40))


def _pause(store: Store, wanted: bool) -> None:
    with store.write() as session:
        set_paused(session, wanted)


def test_the_time_left_follows_the_pace_since_the_first_report() -> None:
    pace = Pace()
    assert pace.seconds_left(100, 0, 10) is None
    assert pace.seconds_left(110, 5, 10) == pytest.approx(10)
    assert pace.seconds_left(120, 10, 10) == 0
    assert pace.seconds_left(130, 0, 50) is None  # another stage: it starts anew


def test_a_stop_is_heard_from_the_control_file_and_stays_heard(folder: JobFolder) -> None:
    context = FileContext(folder, {})
    folder.control.write_text('{"stop": "cancel"}')
    assert context.stop_requested()
    folder.control.unlink()
    assert context.stop_requested()


def test_a_model_is_what_the_worker_resolved(folder: JobFolder) -> None:
    source = ModelSource(ref="job:u2", label="trace", base="b", folder="/x", kind="adapter", arm="trace")
    context = FileContext(folder, {"job:u2": source})
    assert context.model("job:u2") == source and context.model("demo-llama").base == "demo-llama"
    with pytest.raises(LabError, match="was not resolved"):
        context.model("variant:gone")
