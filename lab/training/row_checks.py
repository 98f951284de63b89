"""What is wrong with the rows' texts, before any tokenizer: thinking marks, missing answers, repeats, leaked questions.

All rows are looked at, so every count is exact. No torch, no tokenizer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from lab.core.types import Example, Target
from lab.data.chat import question_text
from lab.data.normalise import MARKS
from lab.data.targets import WITH_THINKING
from lab.training.findings import Finding, of_rows
from lab.verify.verifier import verifiers, verify

REPEATED = 0.01  # share of repeated rows from which they are a warning
LEAKED = 0.01  # share of a benchmark's questions: with more, a score may move by a point for having been taught


def check_rows(rows: Sequence[Example], target: Target) -> list[Finding]:
    """Everything about the rows as they stand in the dataset. `rows` before `transforms.as_taught`."""
    findings = [*check_thinking(rows, target), *repeats(rows)]
    if target in ("wrong", "gold"):  # the answer is another row's, or is the gold
        return findings
    return [*findings, *_answers(rows)]


def check_thinking(rows: Sequence[Example], target: Target) -> list[Finding]:
    """Thinking that is missing, empty, or stands where it should not."""
    n, found = len(rows), []
    if target in WITH_THINKING:
        bare = _ids(rows, lambda row: not row.trace and not (target == "steps" and row.steps))
        if bare:
            found.append(Finding("refused", "thinking", f"{len(bare):,} of {n:,} rows have no reasoning trace, and "
                                 f"target {target} needs one on every row", tuple(bare[:5])))
        found += of_rows(_ids(rows, lambda row: _is_empty(row.trace)), n, "thinking",
                         "have an empty trace: the model would learn to open and close a thought without thinking")
        found += of_rows(_ids(rows, lambda row: has_marks(row.trace or "")), n, "thinking",
                         "hold thinking marks within their trace, so thinking would stand there twice")
    found += of_rows(_ids(rows, lambda row: is_double(row.answer)), n, "thinking", _in_answer(target))
    found += of_rows(_ids(rows, lambda row: is_unclosed(row.answer)), n, "thinking",
                     "open a thought in their answer and never close it: the model would learn not to end its thinking")
    return found


def _in_answer(target: Target) -> str:
    if target in WITH_THINKING:
        return "hold a thought within their answer, so thinking would stand there twice"
    return f"hold a thought within their answer, so target {target} would teach thinking after all"


def _ids(rows: Iterable[Example], is_bad: Callable[[Example], bool]) -> list[str]:
    return [row.id for row in rows if is_bad(row)]


def _is_empty(trace: str | None) -> bool:
    return bool(trace) and not any(sign.isalnum() for sign in trace or "")


def has_marks(text: str) -> bool:
    """Whether a text opens or closes a thought, in any style. A lone 'Summarization' line is a heading like others."""
    return any(opening.search(text) or (style != "finemed" and closing.search(text))
               for style, (opening, closing) in MARKS.items())


def is_unclosed(text: str) -> bool:
    """Whether the last thought a text opens, in any style, is never closed."""
    for opening, closing in MARKS.values():
        opened = [match.end() for match in opening.finditer(text)]
        if opened and not any(match.start() >= opened[-1] for match in closing.finditer(text)):
            return True
    return False


def is_double(text: str) -> bool:
    """Whether an answer holds thinking of its own that is closed, or the end of some."""
    return has_marks(text) and not is_unclosed(text)


def _answers(rows: Sequence[Example]) -> list[Finding]:
    """Answers as their own verifier reads them: a model taught so is read the same way in a benchmark."""
    n = len(rows)
    known = [row for row in rows if row.verifier in verifiers()]
    unknown = [row.id for row in rows if row.verifier not in verifiers()]
    scores = {row.id: verify(row.answer, row) for row in known}
    unread = [row.id for row in known if scores[row.id].parsed is None]
    other = [row.id for row in known if scores[row.id].parsed is not None and not scores[row.id].correct]
    return [
        *of_rows(unknown, n, "answer", "name a verifier that the lab does not have", many="warning"),
        *of_rows(unread, n, "answer", "have no final answer that their verifier can read: a model taught so goes "
                 "unread in a benchmark, which counts as wrong", many="warning"),
        *of_rows(other, n, "answer", "state another final answer than their own gold", many="warning"),
    ]


def check_golds(rows: Sequence[Example]) -> list[Finding]:
    """For reinforcement learning: rows whose own gold answer does not score 1 through their verifier."""
    n = len(rows)
    bare = [row.id for row in rows if not row.gold.strip()]
    unknown = [row.id for row in rows if row.verifier not in verifiers()]
    told = {*bare, *unknown}
    failing = [row.id for row in rows if row.id not in told and not verify(f"Answer: {row.gold}", row).correct]
    return [
        *of_rows(bare, n, "gold", "have no gold answer: they are left out", many="warning"),
        *of_rows(unknown, n, "gold", "name a verifier that the lab does not have"),
        *of_rows(failing, n, "gold", "have a gold answer that does not score as right through their own verifier: "
                 "they are left out", many="warning"),
    ]


def repeats(rows: Sequence[Example]) -> list[Finding]:
    """Questions that are asked more than once, options included."""
    asked = Counter(question_text(row) for row in rows)
    seen: set[str] = set()
    again = []
    for row in rows:
        question = question_text(row)
        if question in seen:
            again.append(row.id)
        seen.add(question)
    if not again:
        return []
    level = "warning" if len(again) >= REPEATED * len(rows) else "note"
    most = max(asked.values())
    return [Finding(level, "repeats", f"{len(again):,} of {len(rows):,} rows ask a question that an earlier row asks "
                    f"(one is asked {most} times): they count for more", tuple(again[:5]))]


def check_leaks(rows: Iterable[tuple[str, str]], held_out: Mapping[str, Sequence[Example]]) -> list[Finding]:
    """Training questions that a benchmark asks, by hash of the normalised question. `rows`: (id, question hash).

    Refused where a benchmark loses LEAKED of its questions: its score would no longer be about unseen questions.
    """
    by_hash: dict[str, list[str]] = {}
    for name, digest in rows:
        by_hash.setdefault(digest, []).append(name)
    found = []
    for benchmark, questions in held_out.items():
        leaked = {question.question_hash() for question in questions} & by_hash.keys()
        if not leaked:
            continue
        level = "refused" if len(leaked) >= LEAKED * len(questions) else "warning"
        ids = [name for digest in sorted(leaked) for name in by_hash[digest]]
        found.append(Finding(level, "leak", f"{len(leaked):,} of {len(questions):,} questions of benchmark "
                             f"'{benchmark}' stand word for word among the training rows ({len(ids):,} rows): its "
                             "score would be of questions that were taught", tuple(ids[:5])))
    return found
