"""How well style alone tells two models apart: found where it does, silent where it does not."""

from __future__ import annotations

import json
from random import Random

import numpy as np
import pytest

from lab.rating.blindness import LIMIT, MINIMUM_PAIRS
from lab.rating.leaks import blindness_risk
from lab.rating.style import FIGURES, style_figures

WORDS = "the heart pumps blood through vessels and lungs to carry oxygen for tissue with care in daily life".split()


def text(draw: Random, n: int, lists: bool = False) -> str:
    said = " ".join(draw.choice(WORDS) for _ in range(n)) + "."
    return f"- {said}\n- and so on" if lists else said


def pairs(n: int, seed: int, longer: int = 0, lists: bool = False):
    draw = Random(seed)
    topics = [draw.randint(10, 80) for _ in range(n)]  # what a question asks for decides the length of both
    return ([text(draw, topic + draw.randint(0, 10)) for topic in topics],
            [text(draw, topic + draw.randint(0, 10) + longer, lists) for topic in topics])


def test_two_models_of_one_style_are_at_chance():
    found = [blindness_risk(*pairs(60, seed), seed).auc for seed in range(20)]
    assert 0.44 <= np.mean(found) <= 0.56 and sum(auc > LIMIT for auc in found) <= 1


def test_a_longer_arm_is_found_although_the_questions_differ_far_more_in_length():
    risk = blindness_risk(*pairs(60, 1, longer=15))
    assert risk.auc > 0.9 and risk.warns and next(iter(risk.weights)) in ("words", "sentence length")
    assert "are longer" in risk.why or "longer sentences" in risk.why
    assert risk.low < risk.auc <= risk.high and risk.n == 60


def test_a_model_that_writes_lists_is_told_apart_from_every_other():
    risk = blindness_risk(*pairs(40, 2, lists=True))
    assert risk.auc == 1.0 and risk.low < 1 and np.isfinite(list(risk.weights.values())).all()


def test_which_model_is_named_first_does_not_matter():
    a, b = pairs(60, 3, longer=6)
    one, other = blindness_risk(a, b, 7), blindness_risk(b, a, 7)
    assert one.auc == pytest.approx(other.auc)
    assert all(one.weights[name] == pytest.approx(-other.weights[name], abs=2e-3) for name in FIGURES)
    assert ("second model" in one.why) == ("first model" in other.why)


def test_the_same_seed_gives_the_same_risk_and_it_can_be_stored():
    a, b = pairs(30, 4)
    assert blindness_risk(a, b, 1) == blindness_risk(a, b, 1)
    assert json.loads(json.dumps(blindness_risk(a, b).as_dict()))["n"] == 30


def test_identical_answers_are_a_coin_toss():
    a, _ = pairs(30, 5)
    assert blindness_risk(a, a).auc == 0.5


def test_too_few_pairs_have_no_risk_but_a_reason_and_texts_that_are_no_pairs_are_refused():
    risk = blindness_risk(*pairs(MINIMUM_PAIRS - 1, 6))
    assert risk.auc is None and not risk.warns and "too few" in risk.why
    with pytest.raises(ValueError, match="pairs"):
        blindness_risk(["a"], [])


def test_style_figures_count_form_and_never_fail():
    plain = style_figures("One dose is 5 mg.")
    rich = style_figures("# Dose\n\n- **One** dose, (5 mg)?\n- Two\n1. Three")
    assert tuple(plain) == tuple(FIGURES)
    for name in ("list lines", "bold", "headings", "commas", "brackets", "question marks", "lines"):
        assert rich[name] > plain[name] == (np.log(2) if name == "lines" else 0)
    assert all(np.isfinite(value) for value in style_figures("").values())
