"""Texts by name, folder, table and repository: what is read, what is left out and counted, what is said of faults."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.core.errors import LabError, UnknownName
from lab.data.texts import (
    AGAIN,
    EMPTY,
    MOST_CHARS,
    NO_TEXT,
    absolute_texts,
    check_texts_name,
    made_texts,
    own_texts,
    resolve_texts,
    text_sets,
)
from tests.data.fake_hub import FakeHub, serving
from tests.data.rows import write

ROOT = Path(__file__).parents[2]


def read(path: Path) -> list[str]:
    return [row.text for row in resolve_texts(str(path)).read().rows]


def test_every_registered_set_has_its_texts_and_says_where_they_are_from() -> None:
    assert "demo-texts" in text_sets()
    for name, card in text_sets().items():
        loaded = card.read()
        assert card.name == name and card.description and card.source and card.license
        assert len(loaded.rows) == card.n_rows == len({row.id for row in loaded.rows})
        assert loaded.fingerprint() == card.read().fingerprint()


def test_a_folder_holds_one_text_a_written_file_and_one_a_row_of_its_tables(tmp_path: Path) -> None:
    (tmp_path / "ward").mkdir()
    (tmp_path / "a.txt").write_text("Gout comes of urate.\n")
    (tmp_path / "ward" / "b.MD").write_text("# Asthma\n\nWheeze.")
    write(tmp_path, "c.jsonl", [{"text": "Fever.", "url": "x"}, {"text": "Cough."}])
    write(tmp_path, "d.parquet", [{"text": "Rash."}])
    (tmp_path / "e.csv").write_text("id,text\n1,\"Pain,\nsudden\"\n")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    rows = resolve_texts(str(tmp_path)).read().rows
    assert {(row.source, row.text) for row in rows} == {
        ("a.txt", "Gout comes of urate."), ("ward/b.MD", "# Asthma\n\nWheeze."), ("c.jsonl", "Fever."),
        ("c.jsonl", "Cough."), ("d.parquet", "Rash."), ("e.csv", "Pain,\nsudden")}


def test_hidden_files_and_folders_are_no_texts(tmp_path: Path) -> None:
    for name in (".git/README.md", ".ipynb_checkpoints/a.txt", ".hidden.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("not meant")
    (tmp_path / "a.txt").write_text("meant")
    assert read(tmp_path) == ["meant"]


@pytest.mark.parametrize(("value", "reason"), [
    ("", EMPTY), (None, EMPTY), ("  \n\t", EMPTY), ("--- * ---", EMPTY), ("\u200b\ufeff", EMPTY),
    (3, NO_TEXT), (["a"], NO_TEXT), ({"text": "a"}, NO_TEXT), (True, NO_TEXT), ("PK\x03\x04\x00\x00", NO_TEXT),
])
def test_what_is_no_text_is_left_out_and_counted(value: object, reason: str) -> None:
    loaded = made_texts([(value, "x"), ("Gout.", "x")])
    assert [row.text for row in loaded.rows] == ["Gout."] and loaded.skipped == {reason: 1}


@pytest.mark.parametrize("again", [
    "Caf\u00e9 au  lait\nhelps.", "  caf\u00e9 au lait helps.  ", "Cafe\u0301 au lait helps.",
    "Caf\u00e9 au\u00a0lait helps.",
    "Caf\u00e9\u200b au lait helps.", "CAF\u00c9 AU LAIT HELPS.",
    "\ufeffCaf\u00e9 au lait helps.", "Caf\u00e9 au lait\r\nhelps.",
])
def test_the_same_text_in_another_form_is_one_text(again: str) -> None:
    found = [("Caf\u00e9 au lait helps.", "a.txt"), (again, "b.txt"), ("Caf\u00e9 au lait helps?", "c.txt")]
    loaded = made_texts(found)
    assert [row.source for row in loaded.rows] == ["a.txt", "c.txt"] and loaded.skipped == {AGAIN: 1}


def test_ids_follow_from_the_words_alone_and_the_fingerprint_from_the_order_too() -> None:
    one, other = made_texts([("Gout.", "a"), ("Asthma.", "b")]), made_texts([("Asthma.", "x"), ("Gout.", "y")])
    assert {row.id for row in one.rows} == {row.id for row in other.rows} and one.fingerprint() != other.fingerprint()


def test_halves_of_characters_are_joined_or_replaced_so_that_every_text_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "heart \\ud83d\\ude00 ok"}\n{"text": "cut \\ud83d"}\n')
    texts = read(tmp_path / "a.jsonl")
    assert texts == ["heart \U0001f600 ok", "cut \ufffd"] and "".join(texts).encode()
    assert made_texts([("a \ud83d\ude00", "x")]).rows[0].text == "a \U0001f600"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_written_file_is_read_as_its_first_bytes_say(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.txt").write_bytes("Fieber über 39 °C\r\nseit gestern".encode(encoding))
    assert read(tmp_path) == ["Fieber über 39 °C\nseit gestern"]


@pytest.mark.parametrize("content", ["Fieber über 39 °C".encode("latin-1"), b"\xff\xfe\x00", b"ok \x80"])
def test_an_encoding_that_would_have_to_be_guessed_is_told_with_its_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "old.txt").write_bytes(content)
    with pytest.raises(LabError, match=r"old\.txt is not UTF-8 text: save it as UTF-8"):
        read(tmp_path)


def test_of_a_very_long_text_no_more_is_kept_than_a_job_can_ask_about(tmp_path: Path) -> None:
    with (tmp_path / "long.txt").open("w") as file:
        for _ in range(300):
            file.write("word " * 2000)
    write(tmp_path, "row.jsonl", [{"text": "other " * 200_000}])
    assert [len(text) for text in read(tmp_path)] == [MOST_CHARS, MOST_CHARS]


def test_a_table_without_the_column_says_what_it_has(tmp_path: Path) -> None:
    write(tmp_path, "a.jsonl", [{"body": "Fever.", "id": 1}])
    with pytest.raises(LabError, match=r"a\.jsonl has no column 'text'; it has body, id"):
        resolve_texts(str(tmp_path))


@pytest.mark.parametrize(("name", "said"), [
    ("demo-text", "Did you mean 'demo-texts'"), ("nowhere/notes", "does not exist"), ("notes.txt", "does not exist"),
    ("x.jsonl", "does not exist"), ("hub:one-word", "hub:organisation/name"), ("~nobody-here/notes", "does not exist"),
    ("a/" + "x" * 5000, "does not exist"),
])
def test_a_name_that_means_nothing_is_one_fault_with_a_hint(name: str, said: str) -> None:
    (fault,) = check_texts_name("texts", name)
    assert fault.field == "texts" and said in fault.message
    assert not check_texts_name("texts", "demo-texts") and not check_texts_name("texts", "hub:org/name:part@main")


def test_an_unknown_bare_word_is_an_unknown_name() -> None:
    with pytest.raises(UnknownName):
        resolve_texts("notes")


def test_a_folder_without_texts_says_what_would_be_some(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    for path in (tmp_path, tmp_path / "a.pdf"):
        with pytest.raises(LabError, match=r"holds no texts: \.txt and \.md files, or tables"):
            resolve_texts(str(path))


def test_a_broken_line_is_named_when_it_is_reached(tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"Note {n}."}) for n in range(100)] + ['{"text": "cut']
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    card = resolve_texts(str(tmp_path / "a.jsonl"))
    with pytest.raises(LabError, match="line 101"):
        card.read()


def test_paths_are_ones_own_and_are_written_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes").mkdir()
    assert absolute_texts("notes") == str(tmp_path / "notes") and own_texts("notes") == ["notes"]
    assert absolute_texts("demo-texts") == "demo-texts" and own_texts("demo-texts") == own_texts("hub:a/b") == []


PROGRAM = """
import sys
from lab.core.errors import LabError
from lab.data.texts import resolve_texts
for name in sys.argv[1:]:
    try:
        loaded = resolve_texts(name).read()
        print([row.text for row in loaded.rows], [row.source for row in loaded.rows], loaded.skipped)
    except LabError as problem:
        print(problem)
"""


def test_a_repository_is_read_by_its_column_and_every_fault_of_it_is_a_sentence(tmp_path: Path) -> None:
    rows = write(tmp_path, "a.jsonl", [{"text": "Gout."}, {"text": " "}, {"text": "gout."}]).read_bytes()
    other = write(tmp_path, "b.jsonl", [{"body": "x", "title": "y"}]).read_bytes()
    repositories = {"org/texts": {"a.jsonl": rows}, "org/other": {"b.jsonl": other}}

    def read_any(*names: str, url: str, **more: str) -> list[str]:
        env = {**os.environ, "HF_ENDPOINT": url, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "0", **more}
        done = subprocess.run([sys.executable, "-c", PROGRAM, *names], cwd=ROOT, env=env, text=True,
                              capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout.strip().splitlines()

    with serving(FakeHub(repositories)) as hub:
        good, strange, none, config, revision = read_any(
            "hub:org/texts", "hub:org/other", "hub:org/none", "hub:org/texts:nope", "hub:org/texts@nope", url=hub.url)
    assert good == "['Gout.'] ['org/texts'] {'empty': 1, 'the same text again': 1}"
    assert strange == "texts: org/other has no column 'text'; it has body, title"
    assert "org/none" in none and "not on the hub" in none
    assert "org/texts" in config and "org/texts (revision nope)" in revision
