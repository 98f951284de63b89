"""Events: whole lines only, broken ones counted, the time left from the pace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.file_context import FileContext
from jobs.ingest import Pace, read_batch
from lab.core.errors import LabError
from lab.core.types import ModelSource
from storage.files import Home, JobFolder


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
