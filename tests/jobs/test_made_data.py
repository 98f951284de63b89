"""What a synthesis leaves is kept where training finds it, once, with where it comes from; a broken file says so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jobs.endings import Outcome
from jobs.ingest import Batch, Pace
from jobs.made_data import UnfitFile, keep_datasets
from jobs.results import read_ended
from jobs.watching import settle
from lab.core.context import write_json
from lab.core.errors import LabError
from lab.core.types import Example, ModelSource, Pair
from lab.data.jsonl import write_rows
from lab.data.made import made_of
from lab.data.pair_rows import write_pairs
from lab.data.pairs import resolve_pairs
from lab.data.resolving import resolve_dataset
from storage.database import Store
from storage.files import Home, JobFolder
from storage.tables import Job
from tests.jobs.conftest import now_of

SPEC = {"problems": "demo-medical", "teacher": "demo-teacher", "seed": 3}
PARENT = {"name": "demo-medical", "sha256": "d" * 64, "rows": 2400}
FUNNEL = {"stages": [{"name": "problems", "n": 3}], "dropped": [], "solved": [], "n_open": 0}
TEACHER = ModelSource(ref="remote:big", label="big", base="big", kind="remote", url="http://host/v1",
                      key_env="SECRET_VARIABLE").model_dump()


def rows(n: int = 2) -> list[Example]:
    return [Example(id=f"q{i}", question=f"What is {i} + 1?", trace=f"{i} and one.", answer=f"Answer: {i + 1}",
                    gold=str(i + 1), verifier="numeric") for i in range(n)]


def entry(file: str, **more: Any) -> dict[str, Any]:
    return {"file": file, "name": f"mine-{Path(file).stem}", "title": "Complex reasoning", "kind": "rows", "rows": 2,
            "parents": [PARENT], "notes": ["by an embedded teacher"], **more}


def leave(folder: JobFolder, entries: Sequence[dict[str, Any]], **more: Any) -> JobFolder:
    """As the job's process leaves it."""
    folder.prepare()
    write_rows(folder.artifacts / "complex.jsonl", rows(), [{"depth": 0}, {"depth": 2}])
    write_rows(folder.artifacts / "simple.jsonl", rows(1))
    write_pairs(folder.artifacts / "pairs.jsonl", [Pair(id="p", question="Why?", chosen="So.", rejected="No.")])
    write_json(folder.job_json, {"uid": folder.path.name, "kind": "reasoning", "attempt": 1, "spec": SPEC})
    write_json(folder.result, {
        "datasets": list(entries), "funnel": FUNNEL, "spent": {"n_requests": 9, "usd": 0.5},
        "teachers": {"teacher": TEACHER}, "prompts": {"think": "0123456789ab"}, "seconds": 3.0, **more,
    })
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> JobFolder:
    return leave(Home(tmp_path).job("u1"), [entry("complex.jsonl"), entry("simple.jsonl"),
                                            entry("pairs.jsonl", kind="pairs")])


def keep(folder: JobFolder) -> list[Any]:
    return list(keep_datasets(folder, "reasoning", json.loads(folder.result.read_text())).kept)


def test_each_file_is_kept_under_the_home_with_its_lineage(folder: JobFolder, tmp_path: Path) -> None:
    kept = keep(folder)
    assert [(one.name, one.kind, one.rows) for one in kept] == [
        ("mine-complex", "rows", 2), ("mine-simple", "rows", 1), ("mine-pairs", "pairs", 1)]
    made = made_of(tmp_path / kept[0].path)
    assert (made.by, made.job, made.spec, made.title) == ("reasoning", "u1", SPEC, "Complex reasoning")
    assert (made.funnel, made.spent["usd"], made.prompts) == (FUNNEL, 0.5, {"think": "0123456789ab"})
    assert [parent.model_dump() for parent in made.parents] == [PARENT]
    assert made.notes == ("by an embedded teacher",) and made.sha256 == kept[0].sha256
    assert kept[0].path == f"datasets/mine-complex-{made.sha256[:8]}.jsonl"
    assert resolve_dataset(str(tmp_path / kept[0].path)).load()[1].trace == "1 and one."
    assert resolve_pairs(str(tmp_path / kept[2].path)).load()[0].chosen == "So."


def test_the_name_of_a_keys_variable_is_in_nothing_that_is_kept(folder: JobFolder, tmp_path: Path) -> None:
    keep(folder)
    texts = [path.read_text() for path in (tmp_path / "datasets").iterdir()]
    assert texts and all("SECRET_VARIABLE" not in text and "key_env" not in text for text in texts)
    assert any('"remote_model"' in text for text in texts)


def test_reading_the_end_twice_keeps_everything_once(folder: JobFolder, tmp_path: Path) -> None:
    first = keep(folder)
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in (tmp_path / "datasets").iterdir()}
    assert keep(folder) == first
    after = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in (tmp_path / "datasets").iterdir()}
    assert after == before and len(after) == 6


def test_a_kept_dataset_outlives_the_jobs_folder(folder: JobFolder, tmp_path: Path) -> None:
    kept = keep(folder)
    shutil.rmtree(folder.path)
    assert len(resolve_dataset(str(tmp_path / kept[0].path)).load()) == 2


def test_a_file_without_rows_is_told_and_is_no_dataset(tmp_path: Path) -> None:
    folder = leave(Home(tmp_path).job("u1"), [entry("complex.jsonl"), entry("rl.jsonl", rows=0)])
    (folder.artifacts / "rl.jsonl").write_text("")
    found = keep_datasets(folder, "reasoning", json.loads(folder.result.read_text()))
    assert [one.name for one in found.kept] == ["mine-complex"] and found.empty == ("rl.jsonl",)


BROKEN_RESULTS = [
    ({"datasets": "complex.jsonl"}, "names no datasets"),
    ({"datasets": [entry("gone.jsonl")]}, "gone.jsonl is not in the job's folder"),
    ({"datasets": [entry("../job.json")]}, "no file of the job's own"),
    ({"datasets": [entry("complex.jsonl", kind="pairs")]}, "complex.jsonl: .*columns chosen, rejected"),
    ({"datasets": [entry("pairs.jsonl")]}, "pairs.jsonl: .*not known"),
    ({"datasets": [entry("cut.jsonl")]}, "cut.jsonl: .*line 2"),
    ({"datasets": [entry("complex.jsonl", parents=[{"name": "x"}])]}, "complex.jsonl: what the result says of it"),
    ({"teachers": {"teacher": {"label": 3}}}, "teachers are not model sources"),
    ({"teachers": []}, "teachers are not model sources"),
]


@pytest.mark.parametrize(("more", "words"), BROKEN_RESULTS)
def test_what_cannot_be_kept_is_named_and_the_jobs_files_stay(tmp_path: Path, more: dict[str, Any], words: str) -> None:
    folder = leave(Home(tmp_path).job("u1"), [entry("complex.jsonl")], **more)
    whole = (folder.artifacts / "complex.jsonl").read_text()
    (folder.artifacts / "cut.jsonl").write_text(whole[: len(whole) - 40])
    with pytest.raises(UnfitFile, match=words):
        keep(folder)
    assert (folder.artifacts / "complex.jsonl").read_text() == whole


def test_a_missing_file_keeps_none_of_the_others(tmp_path: Path) -> None:
    folder = leave(Home(tmp_path).job("u1"), [entry("complex.jsonl"), entry("gone.jsonl")])
    with pytest.raises(UnfitFile):
        keep(folder)
    assert not (tmp_path / "datasets").exists()


def test_a_place_that_cannot_be_written_is_tried_again_and_not_the_jobs_fault(
    folder: JobFolder, tmp_path: Path
) -> None:
    (tmp_path / "datasets").write_text("in the way")
    with pytest.raises(LabError) as caught:
        keep(folder)
    assert caught.value.reason == "disk"
    (tmp_path / "datasets").unlink()
    assert len(keep(folder)) == 3


@dataclass
class Seen:
    """An attempt, as a worker looks after it."""

    job_id: int
    folder: JobFolder
    worker: str = "w"
    attempt: int = 1
    pace: Pace = field(default_factory=Pace)


def running(store: Store, kind: str = "reasoning") -> tuple[Job, Seen]:
    with store.write() as session:
        job = Job(uid="a1" * 6, kind=kind, name="made", state="running", worker="w", attempt=1, spec=SPEC,
                  folder="jobs/" + "a1" * 6)
        session.add(job)
        session.flush()
        number = job.id
    row = now_of(store, number)
    return row, Seen(row.id, store.home.job(row.uid))


def test_the_jobs_row_says_where_its_datasets_lie(store: Store) -> None:
    job, seen = running(store)
    leave(seen.folder, [entry("complex.jsonl")])
    settle(store, seen, Outcome("succeeded"), Batch([], 0), 3)
    row = now_of(store, job)
    (told,) = row.facts["datasets"]
    assert row.state == "succeeded" and row.facts["without_rows"] == [] and row.result["seconds"] == 3.0
    assert set(told) == {"name", "title", "path", "kind", "rows", "sha256"}
    assert store.home.absolute(told["path"]).is_file() and not told["path"].startswith("/")


def test_a_broken_file_fails_the_job_in_one_sentence_and_loses_nothing(store: Store) -> None:
    job, seen = running(store)
    leave(seen.folder, [entry("complex.jsonl")])
    (seen.folder.artifacts / "complex.jsonl").write_text('{"question": "cut')
    settle(store, seen, Outcome("succeeded"), Batch([], 0), 3)
    row = now_of(store, job)
    assert (row.state, row.reason) == ("failed", "bug") and "complex.jsonl" in row.message
    assert "could not be stored" in row.message and seen.folder.result.is_file()
    assert "UnfitFile" in seen.folder.log.read_text()


def test_the_other_kinds_keep_no_datasets(tmp_path: Path) -> None:
    folder = leave(Home(tmp_path).job("u1"), [entry("complex.jsonl")])
    assert read_ended(folder, "echo").data is None and not (tmp_path / "datasets").exists()
