"""Decontaminating: exam questions against the benchmarks of the lab."""

from __future__ import annotations

import pytest

from lab.benchmarks.benchmark import Benchmark, benchmarks
from lab.core.errors import LabError
from lab.core.types import Example
from lab.synthesis import decontaminating
from lab.synthesis.decontaminating import stay_clear

CASE = "A man of 61 years has had chest pain for two hours; it spreads to the left arm, and his troponin is raised."
GAP = ("Sodium {0}, chloride 102, bicarbonate 24 mmol/L. What is the anion gap of this patient, who came in late and "
       "did not feel well at all last night?")


def row(question: str, id: str = "row", options: dict | None = None) -> Example:
    return Example(id=id, question=question, options=options, answer="x", gold="x")


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch):
    """What rows share with the questions of a benchmark made for the test."""

    def look(rows: list[Example], questions: list[Example], templated: bool = False) -> dict[str, str]:
        card = Benchmark(name="bench", title="", version="1", description="", source="", license="",
                         load=lambda: questions, templated=templated)
        monkeypatch.setattr(decontaminating, "benchmarks", lambda: {"bench": card})
        return stay_clear(rows).contaminated

    return look


def test_64_characters_or_13_words_in_common_take_a_question_out(shared):
    questions = [row(f"{CASE} Which drug is given first?", "q-1"), row("x a b c d e f g h i j k l m y", "q-2")]
    rows = [row(f"Long ago. {CASE} What is it?", "both"), row("A woman of 30 years has a rash on both arms.", "none"),
            row("a b c d e f g h i j k l m", "words")]
    found = shared(rows, questions)
    assert set(found) == {"both", "words"} and "64 characters in common with bench, question q-1" in found["both"]
    assert found["words"].startswith("13 words")


def test_of_templated_questions_only_the_same_problem_counts(shared):
    rows = [row(GAP.format(138), "same"), row(GAP.format(139), "other"),
            row(GAP.format(138).replace("last", "this"), "near"),
            row(GAP.format(138), "with options", {"A": "12", "B": "36"})]
    found = shared(rows, [row(GAP.format(138), "q")], templated=True)
    assert set(found) == {"same", "near", "with options"}


def test_nearly_the_same_text_counts_though_the_options_bring_numbers_of_their_own(shared):
    near = row(GAP.format(138).replace("last", "this"), "near", {"A": "12", "B": "36"})
    assert set(shared([near], [row(GAP.format(138), "q")], templated=True)) == {"near"}


def test_a_whole_question_with_words_around_it_is_the_same_problem(shared):
    around = row(f"A colleague handed this in. {GAP.format(138)} Choose one.", "around", {"A": "12"})
    other = row(f"A colleague handed this in. {GAP.format(139)} Choose one.", "other", {"A": "12"})
    assert set(shared([around, other], [row(GAP.format(138), "q")], templated=True)) == {"around"}


def test_without_names_every_benchmark_on_this_machine_is_looked_at_and_the_others_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    asked = benchmarks()["demo-medical"].load()[0]
    clear = stay_clear([asked.model_copy(update={"id": "mine"}), row("Something else entirely.", "free")])
    assert set(clear.contaminated) == {"mine"} and "demo-medical" in clear.contaminated["mine"]
    here = {name for name, one in benchmarks().items() if one.is_made_here}
    assert set(clear.looked_at) == here
    assert all(name in clear.notes[0] for name in set(benchmarks()) - here)


def test_a_named_benchmark_that_cannot_be_read_is_an_error_and_others_are_not_looked_at(tmp_path):
    assert stay_clear([row("x")], ["demo-general"]).looked_at == ("demo-general",)
    with pytest.raises(LabError):
        stay_clear([row("x")], ["no-such-benchmark"])
    with pytest.raises(LabError, match="does not exist"):
        stay_clear([row("x")], [f"medqa@{tmp_path / 'nowhere'}"])
