"""What a round says, from simulated raters: the sentence, every pair, the three views, and what stands beside."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.rating.blinding_results import Guess
from lab.rating.judge_results import Vote
from lab.rating.measures_correlation import Measure
from lab.rating.results import round_results
from lab.ui.ratings.outcome import outcome_html, sentence
from lab.ui.ratings.quality import quality_html
from lab.ui.ratings.questions import PAGE, Question, Said, order_by, position, questions_html
from lab.ui.ratings.reading import Found
from storage.queries.ratings import BankModel
from storage.tables import Round
from tests.rating.simulated_raters import Panel, simulate

PAIR = Panel(questions=40, effects=(0.0, 1.5))
THREE = Panel(models=("base", "answer", "trace"), effects=(0.0, 0.5, 1.2), questions=30)


def found(panel: Panel, rows=None, **beside) -> Found:
    rows = simulate(panel, seed=1) if rows is None else rows
    models = {name: BankModel(name, name, "demo-llama", 40) for name in panel.models}
    the_round = Round(uid="r", name="Fluency", design_sha="x", state="closed", models=list(panel.models))
    return Found(the_round, models, round_results(rows, panel.models, **beside))


@pytest.fixture(scope="module")
def pair() -> Found:
    rows = simulate(PAIR, seed=1)
    votes = [Vote(row.unit, row.item_id, row.model_a, row.model_b, "demo-judge 1", first, "b" if first else "a", 3, 4)
             for row in rows if row.rater == "R00" for first in (True, False)]
    measures = [Measure(row.item_id, model, "words", float(index)) for index, row in enumerate(rows)
                if row.rater == "R00" for model in PAIR.models]
    guesses = [Guess("trace", "trace", "R00"), Guess("unsure", "trace", "R01"), Guess("base", "base", "R01")]
    bored = [replace(row, rater="R99", visible_ms=900, preference="left", fluency_left=3, fluency_right=3,
                     surplus=False) for row in rows if row.rater == "R00"]
    late = [replace(row, rater="R77", surplus=True) for row in rows[:6]]
    return found(PAIR, [*rows, *bored, *late], votes=votes, measures=measures, guesses=guesses)


def test_a_clear_difference_is_said_first_with_its_interval(pair):
    words = sentence(pair.results.primary)
    assert words.startswith("trace reads more fluently than base, by +") and "trace is preferred, in " in words
    html = outcome_html(pair)
    assert html.index("reads more fluently") < html.index("Which reads better") < html.index("Agreement of raters")


def test_no_difference_is_called_noise_and_not_no_difference():
    words = sentence(found(Panel(questions=30, effects=(0.0, 0.0))).results.primary)
    assert "beyond noise between base and trace" in words and "is within noise: trace wins" in words


def test_the_other_direction_is_said_as_plainly():
    words = sentence(found(Panel(questions=40, effects=(0.0, -1.8))).results.primary)
    assert "trace reads less fluently than base" in words and "base is preferred: trace wins" in words


def test_a_round_without_preferences_or_without_scores_says_what_it_has():
    rows = simulate(PAIR, seed=2)
    scored = found(PAIR, [replace(row, preference="") for row in rows])
    chosen = found(PAIR, [replace(row, fluency_left=None, fluency_right=None) for row in rows])
    assert "reads more" in sentence(scored.results.primary) and "preferred" not in sentence(scored.results.primary)
    assert sentence(chosen.results.primary).startswith("trace is preferred")
    assert "Which reads better" not in outcome_html(scored)
    assert "Mean fluency" not in outcome_html(chosen) and "Scores given" not in outcome_html(chosen)


def test_every_figure_has_its_n_and_its_interval(pair):
    html = outcome_html(pair)
    for words in ("n 40", "95 % intervals by a bootstrap over questions", "Position: the right side is favoured",
                  "The same at equal length", "Drift over a session", "Krippendorff", "Scores given", "score 3: "):
        assert words in html


def test_the_three_views_stand_side_by_side_and_name_who_is_left_out(pair):
    html = outcome_html(pair)
    assert "Without flagged raters" in html and "left out: R99" in html and "With surplus ratings" in html
    flagged = quality_html(pair.results.quality)
    assert "⚠" in flagged and "R99" in flagged
    assert "base" not in flagged and "trace" not in flagged  # no model in what is shown of an open round


def test_the_judge_the_measures_and_the_guesses_stand_beside(pair):
    html = outcome_html(pair)
    for words in ("A model as judge", "demo-judge 1", "in no figure above", "Automatic measures against the raters",
                  "Blinding", "Bang"):
        assert words in html


def test_three_models_stand_on_one_scale_and_every_pair_unfolds():
    html = outcome_html(found(THREE))
    assert "All models on one scale" in html and html.count('data-fold="pair-') == 3
    assert html.count("Holm p") >= 3 and "from three" not in html
    assert html.index('data-fold="pair-base-answer" open') < html.index('data-fold="pair-base-trace"')


def said(first, second, **more) -> Said:
    return Said(**{"rater": "R1", "first": first, "second": second, "preferred": "b", "a_left": True, "seconds": 9.0,
                   "comment": "", "surplus": False, **more})


def questions(*gaps: int) -> list[Question]:
    return [Question(f"q{i}", f"Question {i} <b>?", "base", "trace", "first text", "second text",
                     [said(3, 3 + gap), said(3, 3 + gap, rater="R2", comment="odd <i>")])
            for i, gap in enumerate(gaps)]


def test_questions_are_ordered_by_what_is_looked_for():
    asked = questions(0, 2, -1)
    asked[0].said.append(said(5, 1))
    order = {name: [one.item_id for one in order_by(asked, name)] for name in ("round", "first", "second", "apart")}
    assert order == {"round": ["q0", "q1", "q2"], "first": ["q0", "q2", "q1"], "second": ["q1", "q2", "q0"],
                     "apart": ["q0", "q1", "q2"]}


def test_a_page_of_questions_shows_texts_scores_and_comments_escaped(pair):
    html = questions_html(questions(0, 2), pair.models, 1)
    assert "Question 0 &lt;b&gt;?" in html and "first text" in html and "odd &lt;i&gt;" in html and "n 2" in html
    assert "base 3.0, trace 5.0" in html and "2 × trace" in html


def test_a_surplus_rating_is_shown_and_not_counted(pair):
    one = questions(0)[0]
    one.said.append(said(1, 5, rater="Late", surplus=True))
    html = questions_html([one], pair.models, 1)
    assert "Late" in html and "not in the main figures" in html and "n 2" in html and one.gap == 0


def test_five_hundred_units_come_a_page_at_a_time(pair):
    many = questions(*[0] * 500)
    assert questions_html(many, pair.models, 25).count("<details") == PAGE
    assert "500 units · page 25 of 25" in position(len(many), 25)
