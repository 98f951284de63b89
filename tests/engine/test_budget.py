"""Thinking budgets at exact positions: real tokenizers, all styles, and a model that is a list of ids."""

import subprocess
import sys
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lab.bases.cards import bases
from lab.bases.tokenizers import open_tokenizer
from lab.data.targets import THINKING_STYLES
from lab.engine.budget import GO_ON, BudgetRule, ThinkingBudget
from lab.engine.thinking import split_thinking

BASES = ("demo-llama", "demo-qwen2")
END = -1
THOUGHT = "2+2=4. The sum is 4, which is less than 5."
everywhere = pytest.mark.parametrize("base", BASES)
in_every_style = pytest.mark.parametrize("style", THINKING_STYLES.values(), ids=THINKING_STYLES)


class Words:
    """Ids and text of one base."""

    def __init__(self, base):
        self._tokenizer = open_tokenizer(bases()[base])

    def encode(self, text):
        return self._tokenizer.encode(text, add_special_tokens=False)

    def decode(self, ids):
        return self._tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)


words = cache(Words)


class Letters:
    """Every pair of letters is a token, so marks share tokens with what stands beside them."""

    def encode(self, text):
        return [ord(a) * 256 + (ord(b) if b else 0) for a, b in zip(text[::2], [*text[1::2], ""], strict=False)]

    def decode(self, ids):
        return "".join(chr(i // 256) + (chr(i % 256) if i % 256 else "") for i in ids)


class Loop:
    """A decoding loop whose model writes what is left of its script; `tells_forced`: the rule sees forced ids too."""

    def __init__(self, rule, script, tells_forced=False):
        self.rule, self.script, self.tells_forced = rule, list(script), tells_forced
        self.ids, self.verdicts, self.forced_at, self.ended = [], [], [], False

    def run(self, most=400):
        pending = []
        while len(self.ids) < most and not self.ended and (pending or self.script):
            chosen = pending.pop(0) if (was_forced := bool(pending)) else self.script.pop(0)
            if chosen == END:
                verdict = self.rule.at_end(self.ids)
                self.ended = verdict == GO_ON
            else:
                self.ids.append(chosen)
                self.forced_at += [len(self.ids) - 1] * was_forced
                verdict = self.rule.after(self.ids) if self.tells_forced or not was_forced else GO_ON
            if verdict != GO_ON:
                assert not pending and 0 <= verdict.drop <= len(self.ids)
                self.ids = self.ids[: len(self.ids) - verdict.drop]
                pending = list(verdict.force)
                self.verdicts.append(verdict)
        return self


def ran(tongue, style, budget, script, **more):
    rule = BudgetRule(budget, style, tongue.decode, tongue.encode, more.pop("opened", False))
    return Loop(rule, script, **more).run()


def text_of(style, thought=THOUGHT, answer="Answer: 4"):
    return style.wrap(thought, answer)


@everywhere
@in_every_style
def test_without_bounds_nothing_is_ever_said(base, style):
    tongue = words(base)
    script = [*tongue.encode(text_of(style)), END]
    loop = ran(tongue, style, ThinkingBudget(), script)
    assert loop.verdicts == [] and loop.ids == script[:-1]


@everywhere
@in_every_style
@pytest.mark.parametrize("budget", [ThinkingBudget(min_tokens=50), ThinkingBudget(max_tokens=0)])
def test_a_model_that_does_not_think_is_left_alone(base, style, budget):
    tongue = words(base)
    loop = ran(tongue, style, budget, [*tongue.encode("2+2=4\n\nAnswer: 4 ## and ### of it"), END])
    assert loop.verdicts == [] and loop.ended


@everywhere
@in_every_style
@pytest.mark.parametrize("tells_forced", [False, True])
def test_at_the_most_tokens_the_thought_is_closed_right_there(base, style, tells_forced):
    tongue = words(base)
    most = len(tongue.encode(f"{style.open}{style.gap}")) + 9
    script = [*tongue.encode(text_of(style)), END]
    budget = ThinkingBudget(max_tokens=most, answer_prefix="Final Answer:")
    loop = ran(tongue, style, budget, script, tells_forced=tells_forced)
    close = tongue.encode(f"{style.gap}{style.close}{style.gap}Final Answer:")
    assert loop.ids[:most] == script[:most]
    assert loop.ids[most : most + len(close)] == close
    assert loop.forced_at == list(range(most, most + len(close)))
    (verdict,) = loop.verdicts
    assert (verdict.forced, verdict.wait, verdict.drop) == (True, False, 0) and loop.rule.was_forced
    assert split_thinking(tongue.decode(loop.ids[: most + len(close)]), style, "eos").final_text == "Final Answer:"


@everywhere
@in_every_style
def test_a_thought_that_ends_too_early_goes_on_with_wait_and_the_whole_mark_is_gone(base, style):
    tongue = words(base)
    lead = f"{style.open}{style.gap}2+2=4.{style.gap}"
    before, mark = tongue.encode(lead), tongue.encode(style.close)
    again = tongue.encode("it is 4.")
    script = [*before, *mark, *again, *mark, *tongue.encode("\n4"), END]
    loop = ran(tongue, style, ThinkingBudget(min_tokens=len(before) + 3), script)
    assert tongue.decode(loop.ids) == f"{lead}Waitit is 4.{style.close}\n4"
    (verdict,) = loop.verdicts
    assert verdict.wait and tongue.decode(verdict.force) == "Wait" and verdict.drop == len(mark)
    assert loop.forced_at[0] == len(before) and loop.rule.n_waits == 1 and not loop.rule.was_forced


@everywhere
@in_every_style
def test_the_least_is_met_by_exactly_as_many_tokens_before_the_closing_mark(base, style):
    tongue = words(base)
    before = tongue.encode(f"{style.open}{style.gap}2+2=4.{style.gap}")
    for script in ([*before, *tongue.encode(style.close)], [*before, END]):
        assert ran(tongue, style, ThinkingBudget(min_tokens=len(before)), script).rule.n_waits == 0
        assert ran(tongue, style, ThinkingBudget(min_tokens=len(before) + 1), script).rule.n_waits == 1


@everywhere
@in_every_style
def test_an_end_token_in_a_short_thought_becomes_wait_on_a_new_line(base, style):
    tongue = words(base)
    before = tongue.encode(f"{style.open}{style.gap}2+2=4.")
    script = [*before, END, *tongue.encode("5"), END, END]
    loop = ran(tongue, style, ThinkingBudget(min_tokens=100, most_waits=2), script)
    assert tongue.decode(loop.ids) == f"{style.open}{style.gap}2+2=4.\nWait5\nWait"
    assert [verdict.drop for verdict in loop.verdicts] == [0, 0] and loop.rule.n_waits == 2 and loop.ended


@everywhere
@in_every_style
def test_a_thought_that_is_closed_at_once_begins_with_wait_after_the_styles_own_gap(base, style):
    tongue = words(base)
    script = [*tongue.encode(style.open), *tongue.encode(style.close), *tongue.encode(" 4"), END]
    loop = ran(tongue, style, ThinkingBudget(min_tokens=100, most_waits=1), script)
    assert tongue.decode(loop.ids) == f"{style.open}{style.gap}Wait 4"


@everywhere
def test_of_a_thought_that_the_template_opened_every_token_counts(base):
    tongue, style = words(base), THINKING_STYLES["tags"]
    script = tongue.encode("2+2=4. 3+3=6.")
    for most in (0, 1, 5):
        loop = ran(tongue, style, ThinkingBudget(max_tokens=most), script, opened=True)
        assert loop.forced_at[0] == most and loop.ids[:most] == script[:most]
    early = ran(tongue, style, ThinkingBudget(min_tokens=3, most_waits=1), tongue.encode("</think>4"), opened=True)
    assert tongue.decode(early.ids) == "Wait4"


@everywhere
@in_every_style
def test_a_mark_already_begun_at_the_most_tokens_is_not_written_twice(base, style):
    tongue = words(base)
    lead = tongue.encode(f"{style.open}{style.gap}2+2=4.{style.gap}")
    for begun in (style.close[:2], style.close[:-2]):
        script = [*lead, *tongue.encode(begun), *tongue.encode("4, 4, 4")]
        loop = ran(tongue, style, ThinkingBudget(max_tokens=len(lead) + len(tongue.encode(begun))), script)
        written = f"{style.open}{style.gap}2+2=4.{style.gap}{style.close}{style.gap}"
        assert tongue.decode(loop.ids).startswith(written)


@everywhere
@in_every_style
def test_a_thought_closed_in_time_stands_and_what_follows_is_not_bounded(base, style):
    tongue = words(base)
    script = [*tongue.encode(text_of(style, answer="Answer: 4. " * 20)), END]
    most = len(tongue.encode(f"{style.open}{style.gap}{THOUGHT}{style.gap}{style.close}"))
    for budget in (ThinkingBudget(max_tokens=most), ThinkingBudget(min_tokens=5, max_tokens=most)):
        loop = ran(tongue, style, budget, script)
        assert loop.verdicts == [] and loop.ended and loop.ids == script[:-1]


def test_a_second_thought_has_what_the_first_left_over():
    tongue, style = words("demo-llama"), THINKING_STYLES["tags"]
    first, second = tongue.encode("<think>2+2=4</think>4"), tongue.encode("<think>3+3=6</think>6")
    assert ran(tongue, style, ThinkingBudget(max_tokens=14), first + second).verdicts == []
    loop = ran(tongue, style, ThinkingBudget(max_tokens=9), first + second)
    assert tongue.decode(loop.ids).startswith("<think>2+2=4</think>4<think>3\n</think>\n")


@in_every_style
def test_text_that_shares_a_token_with_a_mark_is_put_back(style):
    tongue = Letters()
    for thought in ("two", "four"):  # of one and the other the mark begins in the middle of a token
        script = [*tongue.encode(style.open + style.gap + thought + style.close), *tongue.encode("and so on"), END]
        loop = ran(tongue, style, ThinkingBudget(min_tokens=40, most_waits=1), script)
        assert tongue.decode(loop.ids[:40]).startswith(f"{style.open}{style.gap}{thought}\nWait")
        begun = tongue.encode(style.open + style.gap + thought + style.close[:-3])
        loop = ran(tongue, style, ThinkingBudget(max_tokens=len(begun)), begun + tongue.encode("more"))
        assert tongue.decode(loop.ids).startswith(style.open + style.gap + thought + style.gap + style.close)


def test_two_marks_that_share_a_token_are_both_seen():
    tongue, style = Letters(), THINKING_STYLES["tags"]
    loop = ran(tongue, style, ThinkingBudget(min_tokens=9, most_waits=1), tongue.encode("<think></think>ab cd"))
    assert tongue.decode(loop.ids).startswith("<think>\nWait")


def test_what_a_verdict_may_still_drop_is_held_back():
    tongue, style = words("demo-llama"), THINKING_STYLES["headings"]
    rule = BudgetRule(ThinkingBudget(min_tokens=50), style, tongue.decode, tongue.encode, opened=True)
    held = {}
    ids = tongue.encode("so 4. #1\n\n## Fin")
    for n in range(1, len(ids) + 1):
        assert rule.after(ids[:n]) == GO_ON
        held[tongue.decode(ids[:n])] = rule.held(ids[:n])
    shown = {text: text[: len(text)] if not n else tongue.decode(tongue.encode(text)[:-n]) for text, n in held.items()}
    assert (held["so 4. #"], held["so 4. #1"], held["so 4. #1\n\n"]) == (1, 0, 0)
    assert shown["so 4. #1\n\n##"] == shown["so 4. #1\n\n## Fin"] == "so 4. #1\n\n"


def test_a_most_below_the_least_is_refused_with_both_numbers():
    with pytest.raises(ValidationError, match=r"most thinking tokens \(3\) are fewer than the least \(5\)"):
        ThinkingBudget(min_tokens=5, max_tokens=3)


def test_the_work_for_a_token_does_not_grow_with_the_text():
    tongue, style, longest = words("demo-llama"), THINKING_STYLES["s1"], []

    def decode(ids):
        longest.append(len(ids))
        return tongue.decode(ids)

    rule = BudgetRule(ThinkingBudget(max_tokens=10_000), style, decode, tongue.encode, opened=True)
    ids = tongue.encode("2+2=4. ") * 100
    for n in range(1, len(ids)):
        rule.after(ids[:n])
    assert max(longest) < 40 and len(longest) < 2 * len(ids)


def test_budgets_need_no_torch():
    code = "import sys, lab.engine.budget; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


PIECES = ["2", "+", " ", "\n", "</", "think", ">", "</think>", "<think>", "##", " Final", " Response", "<|im_start|>",
          "answer", "### Summ", "arization", "é", "Wait", "END"]


@st.composite
def cases(draw):
    style = draw(st.sampled_from(list(THINKING_STYLES.values())))
    least = draw(st.integers(0, 25))
    most = draw(st.none() | st.integers(least, 40))
    pieces = draw(st.lists(st.sampled_from([*PIECES, style.open, style.close]), max_size=60))
    budget = ThinkingBudget(min_tokens=least, max_tokens=most, most_waits=draw(st.integers(1, 3)))
    return draw(st.sampled_from([words("demo-llama"), words("demo-qwen2"), Letters()])), style, budget, pieces, draw(
        st.booleans())


@settings(max_examples=300, deadline=None)
@given(cases(), st.booleans())
def test_no_thought_is_longer_than_the_most_nor_shorter_than_the_least(case, tells_forced):
    tongue, style, budget, pieces, opened = case
    pieces = [piece for piece in pieces if piece.isascii() or not isinstance(tongue, Letters)]
    script = [i for piece in pieces for i in ([END] if piece == "END" else tongue.encode(piece))] + [END]
    loop = ran(tongue, style, budget, script, opened=opened, tells_forced=tells_forced)
    if not budget.bounds:
        assert loop.verdicts == []
    began = 0 if opened else _begins(tongue, loop.ids, style.open)
    if began is None:
        assert loop.verdicts == []
        return
    end = next((n for n in range(began, len(loop.ids) + 1) if style.close in tongue.decode(loop.ids[began:n])), None)
    n_thought = (end or len(loop.ids)) - began
    if budget.max_tokens is not None and (end or loop.ended):
        n_forced = sum(len(verdict.force) for verdict in loop.verdicts if verdict.forced)
        n_waiting = max((len(verdict.force) for verdict in loop.verdicts if verdict.wait), default=0)
        n_opening = 0 if opened else len(tongue.encode(style.open)) + 1  # a thought is noticed once its mark is whole
        assert n_thought <= max(budget.max_tokens, n_opening) + n_waiting + n_forced
    if (end or loop.ended) and loop.rule.n_waits < budget.most_waits and not loop.rule.was_forced:
        n_before = _begins(tongue, loop.ids[began:], style.close) if end else n_thought
        assert n_before >= budget.min_tokens
    assert loop.rule.n_waits <= budget.most_waits


def _begins(tongue, ids, mark):
    end = next((n for n in range(len(ids) + 1) if mark in tongue.decode(ids[:n])), None)
    if end is None:
        return None
    return next(at for at in range(end - 1, -1, -1) if mark in tongue.decode(ids[at:end]))
