"""Files of a real round: locked while it is open, whole afterwards, the same names each time."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest

from lab.core.errors import LabError
from lab.data.pairs import resolve_pairs
from lab.rating.files.bundle import unpack
from lab.rating.files.tables import BOM
from lab.rating.files.writing import Form
from lab.rating.verdicts import Verdict
from storage.queries.rater_sessions import flag, skip, submit, undo_last
from storage.queries.raters import invite
from storage.queries.rating_contents import BLIND_NAMES
from storage.queries.rating_events import events
from storage.queries.rating_exports import bundle, bundle_name, export_texts, write_files
from storage.queries.rounds import close_round, unblind_round
from tests.rating.bank import MODELS, THOUGHT
from tests.rating.rounds import A, B, join, make_round, rate_all, serve


@pytest.fixture
def closed(sqlite_store):
    """A closed round of two raters: one corrects, skips, reports and writes a formula."""
    store = sqlite_store
    made = make_round(store, name="Do traces help?", gold_every=3)
    one, two = join(store, made.id, "R1", "=R2")
    first = serve(store, one)
    flag(store, one, first.submit_key, "+odd")
    submit(store, one, first.submit_key, Verdict(2, 4, "left", comment="=cmd|' /C calc'!A0", visible_ms=5000))
    undo_last(store, one)
    submit(store, one, serve(store, one).submit_key, Verdict(3, 4, "right", visible_ms=6000))
    skip(store, one, serve(store, one).submit_key, "language")
    rate_all(store, two)
    close_round(store, made.id)
    return made


def parsed(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_nothing_is_written_while_the_round_is_open(store, tmp_path):
    made = make_round(store)
    for write in (lambda: export_texts(store, made.id), lambda: bundle(store, made.id, blinded=True),
                  lambda: write_files(store, made.id, tmp_path / "out")):
        with pytest.raises(LabError, match="still open"):
            write()
    assert not (tmp_path / "out").exists()
    unblind_round(store, made.id, "ana", "a deadline")
    assert "datasheet.md" in export_texts(store, made.id)


def test_every_version_every_skip_and_every_report_is_in_the_file(sqlite_store, closed):
    rows = parsed(export_texts(sqlite_store, closed.id)["ratings.csv"])
    mine = [row for row in rows if row["rater"] == "R1"]
    versions = [(row["version"], row["current"], row["fluency_left"]) for row in mine[:2]]
    assert versions == [("1", "0", "2"), ("2", "1", "3")]
    assert mine[0]["comment"].startswith("'=cmd") and mine[0]["report"] == "'+odd"
    assert [row["skip_reason"] for row in mine if not row["version"]] == ["language"]
    assert {row["rater"] for row in rows} == {"R1", "'=R2"} and {row["role"] for row in rows} == {"main", "gold"}
    assert {row["model_left"] for row in rows} == {A, B, ""}


def test_a_rater_on_trial_is_in_no_file(store):
    made = make_round(store)
    invite(store, made.id, ["trial x"], kind="trial")
    join(store, made.id, "R1")
    close_round(store, made.id)
    assert all("trial x" not in text for text in export_texts(store, made.id).values())


def test_blinded_names_are_drawn_once_and_kept_and_the_other_files_tell_them(sqlite_store, closed):
    assert json.loads(export_texts(sqlite_store, closed.id)["design.json"])["blind_names"] == {}
    first = export_texts(sqlite_store, closed.id, blinded=True)
    assert export_texts(sqlite_store, closed.id, blinded=True) == first
    told = json.loads(export_texts(sqlite_store, closed.id)["design.json"])["blind_names"]
    assert set(told) == {"X", "Y"} and set(told.values()) == {A, B}
    with sqlite_store.read() as session:
        assert [event.kind for event in events(session, closed.id)].count(BLIND_NAMES) == 1
    units = [json.loads(line) for line in first["units.jsonl"].splitlines()]
    named = {(unit["uid"], unit["text_a"]): told[unit["model_a"]] for unit in units if unit["role"] == "main"}
    for line in export_texts(sqlite_store, closed.id)["units.jsonl"].splitlines():
        unit = json.loads(line)
        if unit["role"] == "main":
            side = "a" if (unit["uid"], unit["text_a"]) in named else "b"
            assert named[unit["uid"], unit[f"text_{side}"]] == unit[f"model_{side}"]


def test_no_secret_is_in_any_byte_of_the_blinded_bundle(sqlite_store, closed):
    sha = json.loads(export_texts(sqlite_store, closed.id)["design.json"])["design_sha"]
    secrets = [label for label, _, _ in MODELS]
    secrets += ["demo-llama", THOUGHT[:30], "SECRET", "Do traces help", "Demo answers", "item-0", sha, BLIND_NAMES]
    with zipfile.ZipFile(io.BytesIO(bundle(sqlite_store, closed.id, blinded=True))) as archive:
        for name in archive.namelist():
            text = archive.read(name).decode()
            for secret in secrets:
                assert secret not in text, (name, secret)


def test_one_file_alone_is_the_same_as_among_the_others(sqlite_store, closed):
    every = export_texts(sqlite_store, closed.id)
    assert {name: export_texts(sqlite_store, closed.id, only=name)[name] for name in every} == every
    with pytest.raises(LabError, match="Did you mean 'ratings.csv'"):
        export_texts(sqlite_store, closed.id, only="rating.csv")


def test_a_bundle_has_a_manifest_and_the_same_files(sqlite_store, closed):
    found = unpack(bundle(sqlite_store, closed.id))
    assert (found.kind, found.round_uid, found.blinded) == ("files", closed.uid, False)
    assert dict(found.files) == export_texts(sqlite_store, closed.id)
    assert bundle_name(closed, True) == f"round-{closed.id}-blinded.zip"


def test_files_are_written_with_a_mark_for_spreadsheets_when_asked(sqlite_store, closed, tmp_path):
    paths = write_files(sqlite_store, closed.id, tmp_path / "new" / "folder", form=Form(bom=True))
    assert {path.name for path in paths} == set(export_texts(sqlite_store, closed.id))
    text = (tmp_path / "new" / "folder" / "ratings.csv").read_text(encoding="utf-8")
    assert text.startswith(BOM) and not (paths[0].parent / "clmm.csv").read_text(encoding="utf-8").startswith(BOM)
    (tmp_path / "file").write_text("")
    with pytest.raises(LabError, match="Choose another place"):
        write_files(sqlite_store, closed.id, tmp_path / "file")


def test_preferences_of_a_round_can_be_trained_on(sqlite_store, closed, tmp_path):
    (path,) = [path for path in write_files(sqlite_store, closed.id, tmp_path) if path.name == "preferences.jsonl"]
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    loaded = resolve_pairs(str(path)).read()
    assert len(loaded.rows) == len(lines) > 0 and not loaded.skipped
    assert {pair.chosen for pair in loaded.rows} == {line["chosen"] for line in lines}
