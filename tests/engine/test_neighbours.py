"""Neighbours: the nearest examples, never the question itself, and an index that is used again only when it fits."""

import math

import numpy as np
import pytest

from lab.core.errors import LabError
from lab.core.types import Example
from lab.data.chat import question_text
from lab.data.dataset import Dataset, datasets
from lab.engine import neighbours as subject
from lab.engine.adapt import Adaptation
from lab.engine.near_duplicates import NearDuplicates
from lab.engine.neighbours import index_fingerprint, open_neighbours
from lab.engine.word_vectors import WordVectors

GAP = "Sodium {}, chloride {}, bicarbonate {} mmol/L. What is the anion gap?"
VIGNETTE = (
    "A 61-year-old man with a history of hypertension comes to the clinic because of two weeks of swelling in both "
    "legs, and his urine has been foamy since he began a new drug for his joint pain. What is the {}?"
)


def example(number, question, trace="so"):
    return Example(id=str(number), question=question, trace=trace, answer="Answer: 1", gold="1")


ROWS = [
    example("gap-near", GAP.format(147, 99, 30)),
    example("gap-far", GAP.format(120, 80, 20)),
    example("pressure", "A patient has a blood pressure of 97/46 mmHg. Find the mean arterial pressure."),
    example("gap-other-words", "Calculate the anion gap: chloride 99, bicarbonate 31, sodium 147 mmol/L."),
    example("vignette", VIGNETTE.format("most likely diagnosis")),
]


@pytest.fixture
def known(monkeypatch):
    monkeypatch.setitem(datasets(), "few", Dataset("few", "Few", "", "here", "none", lambda: ROWS))
    return Adaptation(mode="nearest", dataset="few")


def ids(found):
    return [row.id for row in found.rows]


def test_the_nearest_come_first_and_the_question_in_other_words_never(known, tmp_path):
    index = open_neighbours(known, tmp_path)
    found = index.nearest(GAP.format(147, 99, 31), 4)
    assert ids(found)[:2] == ["gap-near", "gap-far"] and found.n_excluded == 1
    assert list(found.similarities) == sorted(found.similarities, reverse=True) and 0 < found.similarities[0] < 1
    assert index.nearest("What is the mean arterial pressure of 120/80 mmHg?", 1).rows[0].id == "pressure"


def test_random_never_draws_the_question_itself(known, tmp_path):
    index = open_neighbours(known, tmp_path)
    drawn = [ids(index.random(GAP.format(147, 99, 31), 2, seed)) for seed in range(40)]
    assert {one for pair in drawn for one in pair} == {"gap-near", "gap-far", "pressure", "vignette"}
    assert all(len(set(pair)) == 2 for pair in drawn)
    assert drawn[3] == ids(index.random(GAP.format(147, 99, 31), 2, 3))


@pytest.mark.parametrize("question, barred", [
    (GAP.format(147, 99, 30), True),  # word for word
    (GAP.format(147, 99, 30).upper().replace(",", " ;"), True),  # case, spacing, punctuation
    ("Please give the anion gap: bicarbonate 30, chloride 99, sodium 147 mmol/L", True),  # other order, asked otherwise
    (GAP.format(147, 99, 31), False),  # another patient
    (GAP.format(147, 99, 30).replace("anion gap", "chloride excess"), False),  # another problem
    ("Sodium 147. What is the anion gap?", False),
])
def test_a_template_shares_sentences_and_only_the_same_problem_is_barred(question, barred):
    places = NearDuplicates([GAP.format(147, 99, 30)]).of(question, np.zeros(1))
    assert (places.tolist() == [0]) is barred


@pytest.mark.parametrize("question, barred", [
    (VIGNETTE.format("best next step"), True),  # the same case, another question about it
    ("Exam of 2020. " + VIGNETTE.format("most likely diagnosis") + " Explain.", True),  # it lies within
    (VIGNETTE.format("best next step").replace("61", "34"), False),  # another number: another case
    (VIGNETTE.format("best next step").replace("swelling", "itching").replace("urine", "skin"), False),  # short runs
])
def test_long_shared_runs_bar_a_case_whose_numbers_are_the_same(question, barred):
    places = NearDuplicates([VIGNETTE.format("most likely diagnosis")]).of(question, np.zeros(1))
    assert (places.tolist() == [0]) is barred


def test_words_count_as_often_as_they_stand():
    walk = "Mia faces {}. Which way does Mia face now? A) north B) south C) west"
    duplicates = NearDuplicates([walk.format("south, turns right, turns right, turns left")])
    assert duplicates.of(walk.format("south, turns left, turns left, turns right"), np.zeros(1)).tolist() == []


def test_a_short_question_within_a_longer_one_is_another_problem():
    short = "Calculate the CHA2DS2-VASc score of a 48 year old woman with stroke"
    longer = f"{short}, vascular disease, diabetes, hypertension."
    assert NearDuplicates([longer]).of(short, np.zeros(1)).tolist() == []
    assert NearDuplicates([f"{short}, please."]).of(short, np.zeros(1)).tolist() == [0]


def test_a_very_high_similarity_bars_only_with_the_same_numbers():
    duplicates = NearDuplicates(["fever for 3 days", "fever for 4 days"])
    assert duplicates.of("pyrexia lasting 3 days", np.array([0.99, 0.99])).tolist() == [0]
    assert duplicates.of("pyrexia lasting 3 days", np.array([0.96, 0.99])).tolist() == []


def test_the_demo_benchmark_finds_its_own_subject_in_the_demo_training_rows(tmp_path):
    from lab.benchmarks.benchmark import benchmarks

    index = open_neighbours(Adaptation(mode="nearest", dataset="demo-medical"), tmp_path)
    questions = benchmarks()["demo-medical"].load()[:24]
    found = [index.nearest(question_text(question), 1) for question in questions]
    assert [one.rows[0].subject for one in found] == [question.subject for question in questions]
    own = index.nearest(question_text(found[0].rows[0]), 1)
    assert own.n_excluded == 1 and own.rows[0].id != found[0].rows[0].id


def test_rows_without_a_trace_stay_out_where_others_reason(monkeypatch, tmp_path):
    rows = [example(1, "one two", None), example(2, "three four")]
    monkeypatch.setitem(datasets(), "few", Dataset("few", "Few", "", "here", "none", lambda: rows))
    settings = Adaptation(mode="nearest", dataset="few")
    assert ids(open_neighbours(settings, tmp_path).nearest("one two three", 1)) == ["2"]
    with pytest.raises(LabError, match="2 examples are wanted, but the dataset has 1, 0 of which"):
        open_neighbours(settings, tmp_path).nearest("one two three", 2)
    monkeypatch.setitem(datasets(), "few", Dataset("few", "Few", "", "here", "none", lambda: []))
    with pytest.raises(LabError, match="has no rows"):
        open_neighbours(settings, tmp_path)


def test_an_index_is_kept_and_used_again_only_with_the_same_fingerprint(known, tmp_path, monkeypatch):
    made = []
    vectors = WordVectors.vectors

    def counting(self, texts):
        made.append(len(texts))
        return vectors(self, texts)

    monkeypatch.setattr(WordVectors, "vectors", counting)
    first = open_neighbours(known, tmp_path)
    again = open_neighbours(known, tmp_path)
    assert made == [5] and first.fingerprint == again.fingerprint == index_fingerprint(known)
    asked = GAP.format(147, 99, 31)
    assert first.nearest(asked, 3) == again.nearest(asked, 3)
    assert [file.name for file in tmp_path.iterdir()] == [f"{first.fingerprint}.npz"]
    changed = [*ROWS[:-1], ROWS[-1].model_copy(update={"answer": "Answer: 2"})]
    monkeypatch.setitem(datasets(), "few", Dataset("few", "Few", "", "here", "none", lambda: changed))
    assert open_neighbours(known, tmp_path).fingerprint != first.fingerprint
    monkeypatch.setattr(WordVectors, "identity", "tfidf-2")
    assert len({index_fingerprint(known), open_neighbours(known, tmp_path).fingerprint, first.fingerprint}) == 2
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("broken", [b"", b"PK\x03\x04half", "other"])
def test_a_broken_or_foreign_index_is_made_again(known, tmp_path, broken):
    first = open_neighbours(known, tmp_path)
    file = tmp_path / f"{first.fingerprint}.npz"
    if broken == "other":
        np.savez(file, fingerprint="another", dense=np.zeros((5, 3)))
    else:
        file.write_bytes(broken)
    asked = GAP.format(147, 99, 31)
    assert open_neighbours(known, tmp_path).nearest(asked, 2) == first.nearest(asked, 2)
    with np.load(file) as kept:
        assert str(kept["fingerprint"]) == first.fingerprint


def test_a_write_that_is_cut_leaves_no_index(known, tmp_path, monkeypatch):
    def cut(file, **_):
        file.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(subject.np, "savez", cut)
    with pytest.raises(OSError, match="disk full"):
        open_neighbours(known, tmp_path)
    assert not [file for file in tmp_path.iterdir() if not file.name.startswith(".")]


def test_the_weights_of_words_are_tf_idf():
    """Two texts share 'b': its weight is ln(3/3)+1 = 1; 'a' and 'c' weigh ln(3/2)+1. Pieces and pairs left out."""
    space = WordVectors().space(WordVectors().vectors(["a", "b", "b"]))
    _, cosine = space.closeness("b")
    assert cosine.tolist() == pytest.approx([0, 1, 1])
    idf = {"a": math.log(4 / 2) + 1, "b": math.log(4 / 3) + 1}
    _, cosine = space.closeness("a b")  # words a, b, and the pair 'a b', which no example has
    unseen, half = math.log(4 / 1) + 1, 1 / 2
    words = half * idf["a"] / math.sqrt(idf["a"] ** 2 + idf["b"] ** 2 + unseen**2)
    pieces = half * idf["a"] / math.sqrt(idf["a"] ** 2 + idf["b"] ** 2)
    assert cosine[0] == pytest.approx(words + pieces)


def test_nothing_in_common_is_no_nearness_and_no_error(known, tmp_path):
    found = open_neighbours(known, tmp_path).nearest("???", 2)
    assert found.similarities == (0, 0) and len(found.rows) == 2 and found.n_excluded == 0
