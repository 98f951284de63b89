"""Questions of one's own on the Benchmarks page: looked at, kept under LAB_HOME, offered and ready to be asked."""

from __future__ import annotations

import json

import pytest

from lab.benchmarks.resolving import resolve_benchmark
from lab.core.errors import LabError
from lab.core.settings import Settings
from lab.ui.app_state import LabApp
from lab.ui.benchmarks.own_questions import FIELDS, FOLDER, benchmark_choices, keep_table, looked, opened
from tests.stores import new_store

COLUMNS = {"question": "stem", "gold": "key", "options": "opts", "subject": "field", "id": ""}
VALUES = [COLUMNS[field] for field in FIELDS]


@pytest.fixture
def table(tmp_path):
    rows = [{"stem": "Which <b>side</b>?", "key": "B", "opts": {"A": "left", "B": "right"}, "field": "x"},
            {"stem": "Up or down?", "key": "A", "opts": {"A": "up", "B": "down"}, "field": "y"},
            {"stem": "No key", "key": "", "opts": {"A": "a", "B": "b"}, "field": "y"}]
    path = tmp_path / "my exam.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@pytest.fixture
def app(tmp_path):
    store = new_store(tmp_path / "home")
    yield LabApp(store, Settings.from_env({"LAB_HOME": str(tmp_path / "home")}))
    store.close()


def test_a_table_is_shown_with_what_its_rows_become_and_which_do_not(table):
    html = looked(table, *VALUES)
    assert "2 are questions; 1 would be left out" in html and "A) left, B) right" in html and "choice" in html
    assert "<b>side" not in html and "3" in html
    assert "Choose at least the columns" in looked(table, "", "")
    assert "no column" in looked(table, "stem", "nowhere")


def test_an_uploaded_file_opens_its_panel_with_columns_that_are_recognised(tmp_path):
    path = tmp_path / "exam.jsonl"
    path.write_text(json.dumps({"question": "Q?", "gold": "A", "options": {"A": "yes", "B": "no"}}))
    said, panel, _, question, gold, options, *_ = opened(path)
    assert "exam.jsonl" in said and panel["visible"] is True
    assert (question["value"], gold["value"], options["value"]) == ("question", "gold", "options")


def test_a_kept_table_is_offered_and_can_be_asked(app, table):
    made = keep_table(app, table, "May exam", VALUES)
    assert made.path.parent == app.store.home.path / FOLDER and made.lineage.rows == 2
    assert str(made.path) in {value for _, value in benchmark_choices(app)}
    card = resolve_benchmark(str(made.path))
    assert [(row.gold, row.options["B"]) for row in card.load()] == [("B", "right"), ("A", "down")]


def test_a_wrong_mapping_keeps_nothing_and_names_the_file_without_its_folder(app, table, tmp_path):
    with pytest.raises(LabError) as problem:
        keep_table(app, table, "", ["stem", "nowhere", "", "", ""])
    assert str(tmp_path) not in str(problem.value)
    assert not (app.store.home.path / FOLDER).exists()


def test_the_demo_mode_keeps_no_file(app, table):
    space = LabApp(app.store, Settings.from_env({"LAB_HOME": str(app.store.home.path), "SPACE_ID": "x"}))
    with pytest.raises(LabError, match="public demo"):
        keep_table(space, table, "", VALUES)


def test_benchmarks_of_this_machine_come_before_those_that_have_to_be_fetched(app):
    names = [value for _, value in benchmark_choices(app)]
    labels = [label for label, _ in benchmark_choices(app)]
    assert names[0].startswith("demo-") and len(set(names)) == len(names)
    fetched = [index for index, label in enumerate(labels) if "fetched" in label]
    assert fetched == list(range(len(labels) - len(fetched), len(labels)))
