"""Which sampled answers become a pair, and what is counted on the way. Pure: texts in, pairs and counts out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from lab.core.types import Example, Generation, Pair, Plain, StyleName
from lab.data.targets import THINKING_STYLES
from lab.engine.thinking import split_thinking
from lab.verify.format import check_format, check_plain
from lab.verify.verifier import verify

Verdict = Literal["right", "wrong", "unusable"]


class Sampled(Plain):
    """One answer to one question."""

    id: str
    sample: int
    text: str  # with its marks, without the end of the turn
    trace: str
    answer: str
    ended: bool
    verdict: Verdict
    rule: str  # why: the format rule that was broken, else the verifier's
    n_tokens: int


def judged(question: Example, number: int, generation: Generation, style_name: StyleName, thinking: bool) -> Sampled:
    """The verdict on one answer. Unusable: it has not the form that a pair's reply is written in."""
    marks, ended = THINKING_STYLES[style_name], generation.finish_reason == "eos"
    split = split_thinking(generation.raw_text, marks, "eos" if ended else "length")
    form = (check_format if thinking else check_plain)(generation.raw_text, marks, ended)
    score = verify(split.final_text, question)
    verdict: Verdict = "unusable" if not form.well_formed else "right" if score.correct else "wrong"
    return Sampled(
        id=question.id, sample=number, text=generation.raw_text, trace=split.think_text, answer=split.final_text,
        ended=ended, verdict=verdict, rule=score.rule if form.well_formed else form.rule,
        n_tokens=generation.n_think_tokens + generation.n_answer_tokens,
    )


def grouped(answers: Sequence[Sampled], n_samples: int) -> list[Sequence[Sampled]]:
    """The answers to each question."""
    return [answers[start : start + n_samples] for start in range(0, len(answers), n_samples)]


def pairs_of(question: Example, answers: Sequence[Sampled], most: int) -> list[Pair]:
    """Right answers with wrong ones, each text in one pair at most, in the order they were sampled."""
    sides = [list({each.text: each for each in answers if each.verdict == verdict}.values())
             for verdict in ("right", "wrong")]
    return [
        Pair(
            id=f"{question.id}-{number}" if most > 1 else question.id, question=question.question,
            options=question.options, chosen=right.answer, chosen_trace=right.trace or None,
            rejected=wrong.answer, rejected_trace=wrong.trace or None, subject=question.subject,
            source=question.source,
        )
        for number, (right, wrong) in enumerate(list(zip(*sides, strict=False))[:most], 1)
    ]


def figures(by_question: Sequence[Sequence[Sampled]], pairs: Sequence[Pair], style_name: StyleName) -> dict[str, Any]:
    """Counts: no question and no answer is left out of them."""
    answers = [each for group in by_question for each in group]
    verdicts = [{each.verdict for each in group} for group in by_question]
    n_with_pair = sum({"right", "wrong"} <= found for found in verdicts)
    n_all_right = sum(found == {"right"} for found in verdicts)
    n_all_wrong = sum(found == {"wrong"} for found in verdicts)
    return {
        "n_questions": len(by_question), "n_samples": len(answers), "n_pairs": len(pairs),
        "n_with_pair": n_with_pair, "n_all_right": n_all_right, "n_all_wrong": n_all_wrong,
        "n_no_pair": len(by_question) - n_with_pair - n_all_right - n_all_wrong,  # too many unusable answers
        "n_right": sum(each.verdict == "right" for each in answers),
        "n_wrong": sum(each.verdict == "wrong" for each in answers),
        "n_unusable": sum(each.verdict == "unusable" for each in answers),
        "n_cut": sum(not each.ended for each in answers),
        "accuracy": sum(each.verdict == "right" for each in answers) / len(answers),
        "n_rewritten": n_rewritten(pairs, answers, style_name),
        "mean_tokens": sum(each.n_tokens for each in answers) / len(answers),
        "thinking_style": style_name,
    }


def n_rewritten(pairs: Sequence[Pair], answers: Sequence[Sampled], style_name: StyleName) -> int:
    """Replies that DPO will not write as the model said them, but with other spaces around the marks."""
    marks, said = THINKING_STYLES[style_name], {each.text for each in answers}
    replies = [(pair.chosen_trace, pair.chosen) for pair in pairs]
    replies += [(pair.rejected_trace, pair.rejected) for pair in pairs]
    return sum((marks.wrap(trace, answer) if trace else answer) not in said for trace, answer in replies)
