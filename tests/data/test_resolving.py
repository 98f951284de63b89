"""What a recipe may write under `dataset:`: names, folders, files of any kind, repositories, mixtures; and what is said
when it names nothing."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from lab.core.errors import LabError, UnknownName
from lab.data.dataset import datasets
from lab.data.own import of_hub
from lab.data.resolving import absolute_paths, check_dataset_name, label, own_parts, resolve_dataset
from tests.data.rows import MADE, distilled, reasoning, write


def table(path: Path, columns: list[str], *rows: list[str], separator: str = ",") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=separator).writerows([columns, *rows])
    return path


def test_a_mixture_has_the_rows_of_its_parts_and_says_what_is_repeated() -> None:
    mixed = resolve_dataset("demo-general[:30] + demo-medical[:10] + demo-general[20:25]")
    loaded = mixed.read()
    assert len(loaded.rows) == 45 and mixed.license == "apache-2.0" and mixed.has_traces
    assert loaded.notes == ("5 questions in more than one part of the mixture",)
    assert len({row.id for row in loaded.rows}) == 45


def test_what_the_parts_leave_out_is_counted_in_the_mixture(tmp_path: Path) -> None:
    made = MADE["s1k-1.1"]
    write(tmp_path, made.file, [*made.rows, *made.without.values()])
    loaded = resolve_dataset(f"s1k-1.1@{tmp_path} + demo-general[:4]").read()
    assert len(loaded.rows) == 6 and loaded.skipped == {"no trace": 1, "no answer": 1}


def test_files_lying_flat_in_a_folder_are_found_by_their_names(tmp_path: Path) -> None:
    write(tmp_path, "train-00000-of-00001.parquet", MADE["m1k"].rows)
    assert len(resolve_dataset(f"m1k@{tmp_path}").load()) == 2


@pytest.mark.parametrize("ending", ["json", "jsonl", "parquet"])
def test_a_file_with_the_columns_of_a_public_data_set_is_read_as_it_is(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path, f"mine.{ending}", [reasoning(), reasoning(Question="Another?", Response="")])
    loaded = resolve_dataset(str(path)).read()
    assert [row.trace for row in loaded.rows] == ["Hmm, blood.\nOh, the red ones."]
    assert loaded.skipped == {"no answer": 1} and loaded.rows[0].source == f"mine.{ending}"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_with_known_columns_is_read(tmp_path: Path, separator: str) -> None:
    path = table(tmp_path / "mine.csv", ["question", "thinking", "answer", "options", "gold"],
                 ["Which?", "One;\ntwo, three", "Answer: B", json.dumps(["x", "y"]), "b"], separator=separator)
    (row,) = resolve_dataset(str(path)).load()
    assert (row.trace, row.options, row.gold, row.verifier) == ("One;\ntwo, three", {"A": "x", "B": "y"}, "B", "choice")


def test_conversations_are_read_with_thinking_inside_or_beside_the_reply(tmp_path: Path) -> None:
    path = write(tmp_path, "chats.jsonl", [
        {"messages": [{"role": "user", "content": "1+1?"},
                      {"role": "assistant", "content": "<think>a</think>Answer: 2"}]},
        {"messages": [{"role": "user", "content": "1+2?"},
                      {"role": "assistant", "content": "Answer: 3", "reasoning_content": "b"}]},
        {"messages": [{"role": "user", "content": "1+3?"}]},
    ])
    loaded = resolve_dataset(str(path)).read()
    assert [(row.question, row.trace, row.gold) for row in loaded.rows] == [("1+1?", "a", "2"), ("1+2?", "b", "3")]
    assert loaded.skipped == {"no answer": 1}


def test_prompt_and_completion_of_trl_are_read(tmp_path: Path) -> None:
    path = write(tmp_path, "trl.jsonl", [
        {"prompt": [{"role": "user", "content": "1+1?"}],
         "completion": [{"role": "assistant", "content": "<think>a</think>2"}]},
        {"prompt": "1+2?", "completion": "3"},
    ])
    assert [(row.question, row.trace, row.answer) for row in resolve_dataset(str(path)).load()] == [
        ("1+1?", "a", "2"), ("1+2?", None, "3")]


def test_a_folder_is_all_its_files(tmp_path: Path) -> None:
    write(tmp_path, "one.jsonl", [{"question": "1+1?", "answer": "2", "trace": "t"}])
    write(tmp_path, "sub/two.parquet", [distilled()])
    rows = resolve_dataset(str(tmp_path)).load()
    assert [row.gold for row in rows] == ["2", "vitamin C"] and len({row.id for row in rows}) == 2


UNKNOWN = [
    ("demo-medicl", "Did you mean 'demo-medical'"), ("s1k-1.1 + m1", "unknown dataset 'm1'"),
    ("s1k-1.1@/nowhere", "folder '/nowhere' does not exist"), ("demo-medical@/tmp", "made by the lab"),
    ("/nowhere/a.csv", "does not exist"), ("hub:only-one-word", "hub:organisation/name"), ("a.jsonl[:5", "chosen like"),
]


@pytest.mark.parametrize(("name", "said"), UNKNOWN)
def test_a_name_of_nothing_says_what_is_wrong_with_it(name: str, said: str) -> None:
    with pytest.raises(LabError) as caught:
        resolve_dataset(name)
    assert said in str(caught.value)
    (fault,) = check_dataset_name("dataset", name)
    assert fault.field == "dataset" and fault.value == name and said in fault.message


def test_a_near_miss_is_an_unknown_name() -> None:
    with pytest.raises(UnknownName):
        resolve_dataset("m1k-tokenised")


def test_columns_that_say_nothing_lead_to_the_import(tmp_path: Path) -> None:
    path = table(tmp_path / "mine.csv", ["Frage", "Antwort"], ["x", "y"])
    with pytest.raises(LabError, match="columns are not recognised.*Frage, Antwort.*jobs data import"):
        resolve_dataset(str(path))


def test_a_folder_of_the_datasets_library_is_read_and_its_own_files_are_no_rows(tmp_path: Path) -> None:
    import datasets as library

    library.Dataset.from_list([reasoning(), reasoning(Question="Another?")]).save_to_disk(tmp_path / "saved")
    assert [row.question for row in resolve_dataset(str(tmp_path / "saved")).load()] == [
        "Which cell carries oxygen?", "Another?"]


def test_broken_files_name_their_place(tmp_path: Path) -> None:
    write(tmp_path, "a.json", [{"question": "q", "answer": "a"}])
    (tmp_path / "b.json").write_text('[{"question": "q", "answer": "a"},\n {oops}]')
    (tmp_path / "c.csv").write_text("question,answer\na,b,c\n")
    (tmp_path / "d.parquet").write_bytes(b"PAR1nothing")
    assert len(resolve_dataset(str(tmp_path / "a.json")).load()) == 1
    for name, said in (("b.json", "line 2 column 3"), ("c.csv", "row 1"), ("d.parquet", "cannot be read as parquet")):
        with pytest.raises(LabError, match=said):
            resolve_dataset(str(tmp_path / name)).load()


def test_a_registered_repository_is_read_by_its_own_reader_at_another_revision() -> None:
    card = of_hub("hub:simplescaling/s1K-1.1@064b009")
    assert card.hub is not None and card.hub.revision == "064b009" and card.row is datasets()["s1k-1.1"].row
    assert of_hub("hub:simplescaling/s1K-1.1").hub == datasets()["s1k-1.1"].hub
    assert of_hub("hub:some/other").revision_note


LABELS = {
    "s1k-1.1": "s1k-1.1", "s1k-1.1 + m1k": "s1k-1.1+m1k", "demo-general[:1200]": "demo-general-1200",
    "a[10%:50%]": "a-10pc..50pc", "/data/mine-1a2b3c4d.jsonl": "mine-1a2b3c4d", "s1k-1.1@/data/x": "s1k-1.1",
    "hub:org/name:conf@main": "name-conf",
}


@pytest.mark.parametrize(("expression", "short"), LABELS.items())
def test_a_label_is_short_enough_for_a_name(expression: str, short: str) -> None:
    assert label(expression) == short
    assert len(label(" + ".join(["demo-medical"] * 9))) <= 48


def test_paths_are_made_absolute_and_names_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given = "demo-general[:5] + mine.csv[:10] + s1k-1.1@here + hub:a/b"
    assert absolute_paths(given, datasets()) == (
        f"demo-general[:5] + {tmp_path}/mine.csv[:10] + s1k-1.1@{tmp_path}/here + hub:a/b")
    assert own_parts(given, datasets()) == ["mine.csv"]
