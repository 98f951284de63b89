"""Health: does a trained model still answer? Its replies to a few taught questions, judged. Pure; no torch here.

Loss does not tell whether a model has learned to stop, to close its thinking, or to say something after it. Those
faults cost accuracy for reasons that have nothing to do with what is compared, so a variant with one of them is flagged
wherever it is shown. It is no failed job: the weights are what the spec asked for.

    thinking  taught to think: a thought is there and is closed. Not taught to: there is none, in any style.
    ended     the model ends its text; it is not cut by the budget
    empty     a text that ended says something outside its thinking
    loops     no text ends up saying the same thing over and over
    length    as long as what was taught, by the median
    parsed    a final answer can be read. For information: never a fault, and never a score

A rate is a fault when the lower end of its 95 % interval (Wilson) is above TOLERATED and it is more than one answer:
with 16 probes that is 3 of them, with 64 it is 7. A few answers that fail by bad luck flag nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from lab.core.types import StyleName
from lab.data.normalise import MARKS
from lab.data.targets import THINKING_STYLES
from lab.engine.thinking import Split, split_thinking
from lab.stats.intervals import wilson
from lab.training.probes import Probe
from lab.verify.verifier import verify

# One answer in twenty: with more, two arms can differ by five points of accuracy for no reason but a lost ending, and
# five points are what a study of 500 questions can tell apart.
TOLERATED = 0.05
# Half or twice the taught length: a judgement. Greedy answers of healthy demo variants stayed between 0.69 and 1.0.
SHORTEST, LONGEST = 0.5, 2.0
FEWEST_LENGTHS = 8  # a median of fewer says little
# A unit said four times in a row over 24 tokens or more. Digits and rows of a table repeat for shorter.
LOOP_TIMES, LOOP_TOKENS, LOOP_UNIT = 4, 24, 64
N_SHOWN, SHOWN_CHARACTERS = 3, 600
# Room for a text longer than its taught one. A budget with less says nothing about whether a model would have ended.
ROOM = 1.25


@dataclass(frozen=True)
class Reply:
    """What the model said. `ids` and `taught_ids` are without the end of the turn."""

    probe: Probe
    text: str  # special tokens kept, and the opening mark where the template writes it
    ids: tuple[int, ...]
    ended: bool
    budget: int  # tokens it might have had
    taught_ids: tuple[int, ...] = ()

    @property
    def had_room(self) -> bool:
        """Whether the budget allowed for what was taught."""
        return len(self.taught_ids) * ROOM <= self.budget


@dataclass(frozen=True)
class Check:
    """One figure, its limit in words, and whether it is kept. `sentence` is what a page or a log shows."""

    value: float | None  # a share of bad answers, or a ratio; None: there was nothing to judge
    n: int
    n_bad: int
    limit: str
    ok: bool
    sentence: str


@dataclass(frozen=True)
class Health:
    """The verdict. `failed` has a sentence for every check that failed; it is empty for a healthy model."""

    n: int
    checks: dict[str, Check]
    failed: tuple[str, ...]
    samples: tuple[dict[str, str], ...] = ()  # {id, text}: the first bad replies, or the first ones
    max_new_tokens: int = 0
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready: what a training job's result keeps as `health`."""
        return {**asdict(self), "failed": list(self.failed), "samples": list(self.samples)}


def judge(replies: Sequence[Reply], style: StyleName, seconds: float = 0.0) -> Health:
    """Every check over the replies. Raises ValueError when there are none."""
    if not replies:
        raise ValueError("health is judged from at least one reply")
    splits = [split_thinking(reply.text, THINKING_STYLES[style], _finish(reply)) for reply in replies]
    pairs = list(zip(replies, splits, strict=True))
    checks = {
        "thinking": _thinking(pairs), "ended": _ended(pairs), "empty": _empty(pairs), "loops": _loops(replies),
        "length": _length(replies), "parsed": _parsed(pairs),
    }
    failed = tuple(check.sentence for check in checks.values() if not check.ok)
    budget = max(reply.budget for reply in replies)
    return Health(len(replies), checks, failed, _samples(pairs), budget, round(seconds, 2))


def not_examined(why: str) -> Health:
    """A model that could not be asked: flagged, because nobody knows how it answers."""
    return Health(0, {}, (f"not examined: {why}",))


def _finish(reply: Reply) -> Any:
    return "eos" if reply.ended else "length"


def _rate(bad: Iterable[bool], said: Callable[[int, int], str], limited: bool = True) -> Check:
    """A share of bad answers against TOLERATED. `said`(n_bad, n) is the sentence; an informative rate never fails."""
    marks = list(bad)
    n, n_bad = len(marks), sum(marks)
    if not n:
        return Check(None, 0, 0, "", True, "nothing to judge")
    limit = f"at most {100 * TOLERATED:.0f} % within the 95 % interval" if limited else "none: for information"
    ok = not limited or n_bad < 2 or wilson(n_bad, n).low <= TOLERATED
    return Check(n_bad / n, n, n_bad, limit, ok, said(n_bad, n))


def _thinking(pairs: Sequence[tuple[Reply, Split]]) -> Check:
    judged = [(reply, split) for reply, split in pairs if reply.probe.thinks is not None and reply.had_room]
    taught = {reply.probe.thinks for reply, _ in judged}
    bad = [
        split.think_state != "closed" or not split.think_text if reply.probe.thinks else has_marks(reply.text)
        for reply, split in judged
    ]
    words = {
        frozenset([True]): "do not think and close their thinking, as they were taught to",
        frozenset([False]): "think, though none was taught to",
    }.get(frozenset(taught), "do not think as they were taught to")
    return _rate(bad, lambda k, n: f"{_of(k, n)} {words}")


def has_marks(text: str) -> bool:
    """Whether a text holds a mark of thinking, of any style."""
    return any(mark.search(text) for marks in MARKS.values() for mark in marks)


def _ended(pairs: Sequence[tuple[Reply, Split]]) -> Check:
    judged = [reply for reply, _ in pairs if reply.had_room]
    budget = max((reply.budget for reply in judged), default=0)
    return _rate([not reply.ended for reply in judged], lambda k, n: f"{_of(k, n)} never end within {budget} tokens")


def _empty(pairs: Sequence[tuple[Reply, Split]]) -> Check:
    """Of texts that ended. One that was cut is already counted, and so is a thought that was never closed."""
    judged = [split for reply, split in pairs if reply.ended and split.think_state in ("closed", "none")]
    return _rate([not split.final_text for split in judged], lambda k, n: f"{_of(k, n)} that end say nothing")


def _loops(replies: Sequence[Reply]) -> Check:
    """A loop longer than any in the taught replies: what they repeat was learned."""
    taught = max((longest_loop(reply.taught_ids) for reply in replies), default=0)
    return _rate([longest_loop(reply.ids) > taught for reply in replies],
                 lambda k, n: f"{_of(k, n)} say the same thing over and over")


def longest_loop(ids: Sequence[int]) -> int:
    """Tokens of the longest stretch that is one unit of up to LOOP_UNIT tokens, LOOP_TIMES in a row or more; 0: none.

    A stretch has period p when each of its tokens equals the one p before it.
    """
    longest = 0
    for period in range(1, min(LOOP_UNIT, len(ids) // LOOP_TIMES) + 1):
        run = 0
        for place in range(period, len(ids)):
            run = run + 1 if ids[place] == ids[place - period] else 0
            length = run + period
            if run and length >= max(LOOP_TOKENS, LOOP_TIMES * period):
                longest = max(longest, length)
    return longest


def _length(replies: Sequence[Reply]) -> Check:
    judged = [reply for reply in replies if reply.taught_ids and reply.had_room]
    limit = f"{SHORTEST:g} to {LONGEST:g} times the taught length, from {FEWEST_LENGTHS} answers on"
    if not judged:
        return Check(None, 0, 0, limit, True, "nothing to judge")
    said = median(len(reply.ids) for reply in judged)
    taught = median(len(reply.taught_ids) for reply in judged)
    ratio = said / taught
    ok = len(judged) < FEWEST_LENGTHS or SHORTEST <= ratio <= LONGEST
    sentence = f"answers have {said:g} tokens by the median, the taught ones {taught:g} ({ratio:.2f} times)"
    return Check(ratio, len(judged), 0, limit, ok, sentence)


def _parsed(pairs: Sequence[tuple[Reply, Split]]) -> Check:
    unread = [verify(split.final_text, reply.probe.example).parsed is None for reply, split in pairs]
    return _rate(unread, lambda k, n: f"{_of(k, n)} have no final answer that can be read", limited=False)


def _of(k: int, n: int) -> str:
    return f"{k} of {n} answers"


def _samples(pairs: Sequence[tuple[Reply, Split]]) -> tuple[dict[str, str], ...]:
    """The first replies, those that did not end or say nothing before the others."""
    ordered = sorted(pairs, key=lambda pair: pair[0].ended and bool(pair[1].final_text))
    shown = [reply for reply, _ in ordered[:N_SHOWN]]
    return tuple({"id": reply.probe.example.id, "text": reply.text[:SHOWN_CHARACTERS]} for reply in shown)
