"""The check as HTML: what is learned is told without colour, nothing is lost, and users' texts stay text."""

from __future__ import annotations

import re
from html import unescape

import pytest

from lab.training.findings import ArmCheck, Counts, Estimate, Finding, Lengths, Piece, Preflight, Sample
from lab.ui.components.loss_view import HEAD, TAIL, check_view, estimates_view, findings_view, sample_view
from lab.ui.theme import CSS

PIECES = (
    Piece("<bos>", "prompt", False), Piece("What?\n", "prompt", False), Piece("<think>", "mark", True),
    Piece("a", "thinking", True), Piece(" b", "thinking", True), Piece("</think>", "mark", True),
    Piece("Answer", "answer", True), Piece(" {1} $2 `", "answer", True, 2), Piece("<eos>", "end", True),
)
SAMPLE = Sample("row-<1>", PIECES)
ESTIMATE = Estimate(90, 6, 1000, 400, 3000, 12, 1163, (2.0, 8.0), (0.001, 0.002), (0.0001, 0.0005), ("on one core",))
LENGTHS = Lengths(96, 96, 10, 20.5, 30, 40, 32, 6, 38)


def arm(label: str = "one", **values) -> ArmCheck:
    given = {"findings": (), "counts": Counts(90, 6, 1000, 400), "lengths": LENGTHS, "samples": (SAMPLE,),
             "estimate": ESTIMATE, **values}
    return ArmCheck(label, "sft", "trace", "demo-llama", "mine", **given)


def text_of(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", html))


def test_a_row_shows_every_token_and_names_its_parts():
    html = sample_view(SAMPLE, "trace")
    assert html.count("<i>") == len(PIECES)
    assert "arm-trace" in html and "row-&lt;1&gt;" in html and "10 tokens, 8 learned" in html
    for words in ("prompt, read, not learned: 2 tokens", "thinking, learned: 2 tokens", "answer, learned: 3 tokens",
                  "end, learned: 1 token"):
        assert f'title="{words}"' in html
    assert [name for name in ("prompt", "thinking", "answer", "end") if f"<b>{name}</b>" in html] == [
        "prompt", "thinking", "answer", "end"]
    assert "What?↵\n" in text_of(html)


def test_users_texts_can_neither_be_markup_nor_template():
    html = sample_view(Sample("x", (Piece("<script>alert(1)</script> ${x} `y`", "answer", True),)))
    assert "<script>" not in html and not set("{$`") & set(html)


def test_a_long_row_is_shown_by_its_two_ends_and_says_what_is_between():
    long = Sample("long", tuple(Piece(f" {i}", "thinking", True) for i in range(3000)))
    html = sample_view(long, "trace")
    assert html.count("<i>") == HEAD + TAIL and f"{3000 - HEAD - TAIL:,} tokens in between are not shown" in html
    assert "3,000 tokens" in html and " 0<" in html and " 2999<" in html


def test_a_rejected_reply_and_an_arm_without_a_colour_have_their_own_look():
    rejected = sample_view(Sample("x", PIECES, "rejected"), "dpo")
    assert 'class="loss rejected"' in rejected and "8 made less likely" in rejected
    assert 'class="loss"' in sample_view(SAMPLE, "ppo")


@pytest.mark.parametrize(("level", "word"), [("refused", "fault"), ("warning", "warning"), ("note", "note")])
def test_findings_tell_their_level_in_a_word_and_a_sign(level, word):
    finding = Finding(level, "thinking", "3 of 9 rows", ("a", "b"))
    report = Preflight("r", "study", (arm("one", findings=(finding,)), arm("two", findings=(finding,))))
    html = findings_view(report)
    assert html.count("<li") == 1 and word in text_of(html) and f"level-{level}" in html
    assert "one" in html and "two" in html and "<code>a</code>, <code>b</code>" in html


def test_the_worst_finding_comes_first():
    report = Preflight("r", "sft", (arm(findings=(Finding("note", "a", "later"), Finding("refused", "b", "first"))),))
    text = text_of(findings_view(report))
    assert text.index("first") < text.index("later")


def test_one_job_is_a_list_of_figures_and_several_are_a_table_with_their_sums():
    one = estimates_view(Preflight("r", "sft", (arm(),)))
    assert "<table" not in one and "90, 6 left out" in one and "2 to 8 minutes" in one and "about 1.1 GiB" in one
    several = estimates_view(Preflight("r", "study", (arm(), arm("two", estimate=None, lengths=None))))
    assert "<table" in several and "–" in several and "steps 12" in text_of(several)
    assert "and 1 job of unknown length" in several and "on one core" in several
    assert estimates_view(Preflight("r", "bench", (arm(estimate=None, lengths=None, counts=Counts()),))) == ""


def test_the_whole_says_its_verdict_and_folds_the_rows_of_each_job():
    report = Preflight("r", "study", tuple(arm(f"arm{i}") for i in range(14)))
    html = check_view(report)
    assert 'class="check-verdict ok"' in html and "Ready: nothing found" in html
    assert html.count('data-fold="rows-') == 12 and "The rows of 2 more jobs are not shown here." in html
    assert html.count("<details open") == 1
    assert "Rows as they are learned" not in check_view(Preflight("r", "x", ()))


def test_the_sheet_is_loaded_and_learned_text_is_marked_by_more_than_colour():
    assert ".check-verdict" in CSS
    assert re.search(r"\.learned \{[^}]*border-bottom", CSS) and re.search(r"\.thinking \{[^}]*underline wavy", CSS)
