"""The form of a new round: what it offers, what it would be, all its faults in their sections, and making it."""

from __future__ import annotations

import gradio as gr
import pytest
import yaml
from sqlmodel import select

from lab.core.settings import Settings
from lab.core.spec import load_spec
from lab.rating.blinding import Material
from lab.rating.design import THINKING, RoundSpec
from lab.rating.wording import wording
from lab.ui.app_state import SPACE_SENTENCE, LabApp
from lab.ui.ratings.builder_fields import (
    CHECKS,
    FIELDS,
    FORM,
    NAMES,
    SECTIONS,
    SUBJECT,
    TEXTS,
    refilled,
    text_default,
    values_of,
    widget,
)
from lab.ui.ratings.builder_preview import work_of
from lab.ui.ratings.choices import bank_choices, model_choices, read_banks
from lab.ui.ratings.reading import Reading
from lab.ui.ratings.sample_size import Wanted, sample_size_html
from lab.ui.ratings.wiring_builder import make, offered, tell
from storage.database import open_store
from storage.queries.ratings import list_rounds
from storage.tables import Answer
from tests.rating.bank import MODELS, seed_bank

A, B, BASE = (label for label, _, _ in MODELS)


@pytest.fixture(scope="module")
def bank(store) -> str:
    """24 questions, answered by three models; the newest bank of the store."""
    return str(seed_bank(store, 24, "bankjob00024"))


@pytest.fixture(scope="module")
def reading(store, bank) -> Reading:
    return Reading(store)


def given(bank: str = "1", people: float = 6, **values: object) -> list[object]:
    """The form's values as its widgets hold them, in the order of its inputs."""
    plain = {name: text_default(name, "en") or FORM.default(FIELDS[name]) for name in NAMES}
    settings = {**plain, "name": "Fluency", "models": [A, B], "bank": bank, **values}
    return [*(settings[name] for name in NAMES), people, 10, 0.3, 1.0]


def test_every_setting_of_a_design_stands_in_the_form_once_and_has_a_widget():
    assert sorted(NAMES) == sorted(FIELDS)
    with gr.Blocks():
        assert all(widget(name).label for name in NAMES)


def test_the_form_starts_with_answer_against_trace(store, bank):
    found = read_banks(store)
    assert bank_choices(found)[0] == (f"Demo answers · demo-medical · 24 questions (no. {bank})", bank)
    choices, first = model_choices(store, found[0])
    assert [value for _, value in choices] == [A, B, BASE] and first == [A, B]
    assert model_choices(store, None) == ([], [])


def test_thinking_is_offered_as_an_arm_of_its_own_where_it_is_kept(store, bank):
    number = seed_bank(store, 2, "bankjob00002")
    with store.write() as session:
        for row in session.exec(select(Answer).where(Answer.bank_id == number, Answer.model_label == B)):
            row.think_text = "First the sodium."
            session.add(row)
    found = {one.id: one for one in read_banks(store)}
    choices, _ = model_choices(store, found[number])
    assert [value for _, value in choices][3:] == [B + THINKING] and "thinking shown" in choices[3][0]


def test_untouched_texts_stay_open_and_edited_ones_are_the_rounds_own():
    values = values_of(dict(zip(NAMES, given()[:-4], strict=True)))
    assert not {"definition", "anchors", "consent", "preference_question"} & values.keys()
    edited = {"anchors": "one\ntwo\n\nthree\nfour\nfive", "definition": "Reads well."}
    values = values_of(dict(zip(NAMES, given(**edited)[:-4], strict=True)))
    assert values["anchors"] == ["one", "two", "three", "four", "five"] and values["definition"] == "Reads well."


def test_another_language_fills_the_texts_that_nobody_edited():
    texts = {name: text_default(name, "en") for name in SECTIONS[TEXTS]} | {"definition": "My own."}
    found = dict(zip(SECTIONS[TEXTS], refilled(texts, "fr", True), strict=True))
    assert found["anchors"] == "\n".join(wording("fr").anchors) and found["consent"] == wording("fr").consent_text()
    assert found["definition"] == gr.skip()


def test_the_preview_says_units_work_leaks_and_what_it_can_show(reading, bank):
    told = tell(reading, given(bank))
    for words in ("24 of 24 questions", "72", "12 units (with 1 known answer and 1 repeat)", "about 10 min",
                  "found nothing that tells the models apart", "± 20.9", "Told apart"):
        assert words in told.preview
    longer = tell(reading, given(bank, models=[A, BASE])).preview  # the base's answers are twice as long
    assert "Scan for leaks" in longer and "number of words" in longer
    assert "leave every unit incomplete" in tell(reading, given(bank, people=2)).preview


def test_the_recipe_is_what_the_command_line_takes(reading, bank):
    told = tell(reading, given(bank, quota=5.0, criteria=["harm"], seed=7))
    values = yaml.safe_load(told.recipe)
    assert values.pop("kind") == "round"
    spec = load_spec(RoundSpec, values)
    assert (spec.quota, spec.criteria, spec.seed, spec.name) == (5, ("harm",), 7, "Fluency")
    assert values.keys() == {"name", "bank", "models", "quota", "criteria", "seed"}


def test_all_faults_are_told_at_once_each_in_its_section(lab, bank):
    made, told, words = make(lab, None, given(bank, name="", quota=0, gold_every=-1, anchors="only one"))
    assert made is None and "4 things to correct" in words
    blocks = dict(zip(SECTIONS, told.updates()[2:2 + len(SECTIONS)], strict=True))
    assert "Name of the round" in blocks[SUBJECT] and "Ratings of each unit" in blocks[SUBJECT]
    assert "One known answer in" in blocks[CHECKS] and "should be 5" in blocks[TEXTS]
    assert blocks["The session"] == ""
    opened = dict(zip(list(SECTIONS)[1:], told.updates()[2 + len(SECTIONS):], strict=True))
    assert opened[CHECKS]["open"] and "open" not in opened["The session"]


def test_a_name_still_missing_is_no_fault_while_one_types(reading, bank):
    assert tell(reading, given(bank, name="")).faults == []
    assert "Choose an answer bank" in tell(reading, given(bank, models=[A])).preview
    assert [fault.field for fault in tell(reading, given(bank, models=[A, "gone"])).faults] == ["models.1"]


def test_making_a_round_notes_who_made_it_and_refuses_in_the_public_demo(lab, space, store, bank):
    made, _, words = make(space, None, given(bank))
    assert made is None and SPACE_SENTENCE in words
    made, _, words = make(lab, None, given(bank, name="Ours"))
    assert made.name == "Ours" and words == ""
    with store.read() as session:
        assert list_rounds(session)[0].name == "Ours"


def test_a_lab_without_a_bank_is_led_to_making_one(tmp_path):
    store = open_store(home=tmp_path / "home")
    app = LabApp(store, Settings.from_env({"LAB_HOME": str(store.home.path)}))
    *_, form, nothing = offered(app, "")
    assert form["visible"] is False and "Nothing to rate yet" in nothing
    seed_bank(store)
    bank, *_, form, nothing = offered(app, "1")
    assert form["visible"] and nothing == "" and bank["value"] == "1"
    store.close()


def material(n: int) -> Material:
    class Unit:
        def __init__(self, item_id: str):
            self.item_id = item_id

    return Material(tuple(Unit(f"q{i}") for i in range(n)), (), {}, {}, ())


def design(**values: object) -> RoundSpec:
    return RoundSpec(name="x", bank=1, models=("a", "b"), **values)


def test_questions_for_everybody_are_more_work_for_each():
    work = work_of(material(20), design(quota=2, shared_share=0.5, gold_every=0, repeat_share=0), 5)
    assert (work.n_units, work.n_ratings, work.each) == (20, 10 * 5 + 10 * 2, 14)


def test_a_limit_for_each_rater_says_how_many_have_to_be_invited():
    work = work_of(material(60), design(quota=3, most_units=20), 6)
    assert work.each == 20 and "invite at least 9" in work.cautions[0]
    assert work_of(material(60), design(quota=3, most_units=20), 9).cautions == ()


def test_the_sample_size_follows_the_task_and_refuses_what_cannot_be():
    both = sample_size_html(60, design(), Wanted())
    assert both.count("<tr") == 5 and "✓" in both and "⚠" in both
    assert sample_size_html(60, design(task="preference"), Wanted()).count("<tr") == 3
    assert "at most 50 (got 80)" in sample_size_html(60, design(), Wanted(percent=80))
