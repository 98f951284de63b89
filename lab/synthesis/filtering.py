"""Filtering: from an exam question to a verifiable problem, one item at a time (HuatuoGPT-o1, arXiv 2412.18925,
section 2.1): shape, difficulty, verdict, restatement. What costs nothing comes first.

The paper leaves out what three small models all answer; here they are asked one after another, and the first that fails
settles it: the question is not too easy. A solver's reply that names no option is a failure, and is not asked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from lab.core.types import Example
from lab.data.short_answer import verifier_of
from lab.synthesis.machine import Ask, ItemState, Reply, seed_of
from lab.synthesis.prompts import Prompts
from lab.synthesis.replies import read_object, read_verdict, text_of
from lab.synthesis.shapes import fault_of_restated, fault_of_shape, keys_of
from lab.synthesis.specs import ProblemsSpec
from lab.synthesis.unread import Unread
from lab.verify.choice import read_choice
from lab.verify.verifier import verify

KEPT = "kept"
# Outcome → the stage whose items it takes: what the funnel shows it after.
OUTCOMES = {
    "no options": "read", "no key": "read", "several answers": "read", "negative question": "read", "too short": "read",
    "asked before": "read",
    "contaminated": "well formed", "too easy": "clear of benchmarks",
    "too simple": "hard enough", "ambiguous": "hard enough", "not reformulatable": "hard enough",
    "unreadable verdict": "hard enough", "verdict refused": "hard enough",
    "unreadable reformulation": "passed", "reformulation refused": "passed", "options remain": "passed",
    "long answer": "passed", "answer in the question": "passed", "answer not verifiable": "passed", KEPT: KEPT,
}
STAGES = ("read", "well formed", "clear of benchmarks", "hard enough", "passed", KEPT)
VERDICT_OUTCOMES = ("too simple", "ambiguous", "not reformulatable")
Phase = Literal["solve", "filter", "reformulate"]
RESTATED = (("question", "answer"), ("Open-ended Verifiable Question", "Ground-True Answer"),
            ("Open-ended Verifiable Question", "Standard Answer"))  # the lab's names, the code's and the paper's


class ProblemState(ItemState):
    """Where an exam question stands."""

    row: Example
    phase: Phase = "solve"
    solver: int = 0  # of "solve": the next one
    tries: int = 0  # requests of this phase whose reply could not be used
    n_unread: dict[str, int] = {}  # reason → replies that could not be read, of all phases
    question: str = ""  # restated
    answer: str = ""


@dataclass(frozen=True)
class ProblemsMachine:
    """What is known of the whole set before anything is paid for, id → why: `repeated` are questions that came before,
    `contaminated` share text with a benchmark."""

    spec: ProblemsSpec
    prompts: Prompts
    contaminated: Mapping[str, str] = field(default_factory=dict)
    repeated: Mapping[str, str] = field(default_factory=dict)
    state: ClassVar[type[ProblemState]] = ProblemState
    name: ClassVar[str] = "problems"
    version: ClassVar[int] = 1

    def begin(self, item: Example) -> ProblemState:
        state = ProblemState(id=item.id, row=item)
        outcome, why = fault_of_shape(item, self.spec.min_words, self.spec.min_chars)
        if outcome:
            return _ended(state, outcome, why)
        if item.id in self.repeated:
            return _ended(state, "asked before", self.repeated[item.id])
        if item.id in self.contaminated:
            return _ended(state, "contaminated", self.contaminated[item.id])
        return state if self.spec.solvers else self._to_filter(state)

    def ask(self, state: ProblemState) -> Ask:
        row, spec = state.row, self.spec
        values = {"question": row.question, "options": options_text(row)}
        if state.phase == "solve":
            role, name, greedy = f"solver:{state.solver}", "solve", True
        else:
            role, name, greedy = "teacher", state.phase, state.phase == "filter"
            values["answer"] = keyed_text(row)
        # The same greedy request would give the same reply again: a second try is drawn.
        drawn = not greedy or state.tries > 0
        return Ask(
            role=role, prompt=name, messages=self.prompts.write(name, **values), max_new_tokens=spec.max_new_tokens,
            temperature=spec.temperature if drawn else 0.0, top_p=spec.top_p if drawn else 1.0,
            seed=seed_of(spec.seed, state.id, name, state.solver if state.phase == "solve" else 0, state.tries),
        )

    def step(self, state: ProblemState, reply: Reply) -> ProblemState:
        state = state.model_copy(update={"n_asked": state.n_asked + 1})
        take = {"solve": self._solved, "filter": self._judged, "reformulate": self._restated}
        return take[state.phase](state, reply)

    def _solved(self, state: ProblemState, reply: Reply) -> ProblemState:
        options = state.row.options or {}
        said = read_choice(reply.text, options).letter if reply.finish in ("eos", "stop") else None
        if said is None:  # hard enough as far as anybody can tell, and counted
            words = {"length": "cut", "refused": "refused"}
            why = f"solver: {words.get(reply.finish) or ('no option named' if reply.text.strip() else 'empty')}"
            state = state.model_copy(update={"n_unread": state.n_unread | {why: state.n_unread.get(why, 0) + 1}})
        if said not in keys_of(state.row):
            return self._to_filter(state)
        if state.solver + 1 < len(self.spec.solvers):
            return state.model_copy(update={"solver": state.solver + 1})
        n = len(self.spec.solvers)
        return _ended(state, "too easy", f"all of {n} small models answer it" if n > 1 else "a small model answers it")

    def _to_filter(self, state: ProblemState) -> ProblemState:
        return state.model_copy(update={"phase": "filter" if self.spec.filter else "reformulate", "tries": 0})

    def _judged(self, state: ProblemState, reply: Reply) -> ProblemState:
        verdict = read_verdict(reply)
        if isinstance(verdict, Unread):
            return self._again(state, verdict, "unreadable verdict", "verdict refused")
        if verdict == "pass":
            return state.model_copy(update={"phase": "reformulate", "tries": 0})
        return _ended(state, verdict, "the teacher's verdict")

    def _restated(self, state: ProblemState, reply: Reply) -> ProblemState:
        restated = read_restated(reply)
        if isinstance(restated, Unread):
            return self._again(state, restated, "unreadable reformulation", "reformulation refused")
        state = state.model_copy(update={"question": restated[0], "answer": restated[1]})
        outcome, why = fault_of_restated(*restated)
        if not outcome and not _is_verifiable(problem_of(state)):
            outcome, why = "answer not verifiable", f"its own verifier does not accept '{restated[1]}'"
        if not outcome:
            return _ended(state, KEPT, "")
        return self._tried(state, outcome, why)

    def _again(self, state: ProblemState, unread: Unread, outcome: str, refused: str) -> ProblemState:
        counts = state.n_unread | {unread.reason: state.n_unread.get(unread.reason, 0) + 1}
        declined = unread.reason in ("refusal", "refused")
        return self._tried(state.model_copy(update={"n_unread": counts}), refused if declined else outcome,
                           f"{unread.reason}: {unread.why}")

    def _tried(self, state: ProblemState, outcome: str, why: str) -> ProblemState:
        """Once more with another seed, or the end."""
        tries = state.tries + 1
        if tries < self.spec.format_tries:
            return state.model_copy(update={"tries": tries})
        return _ended(state.model_copy(update={"tries": tries}), outcome, why)


def options_text(row: Example) -> str:
    return "\n".join(f"{letter}) {text}" for letter, text in (row.options or {}).items())


def keyed_text(row: Example) -> str:
    """The keyed option's own words."""
    return (row.options or {})[keys_of(row)[0]]


def read_restated(reply: Reply) -> tuple[str, str] | Unread:
    """(question, answer) of a restated question, under the lab's field names or the paper's."""
    found: dict[str, Any] | Unread = Unread(reason="wrong shape", why="")
    for names in RESTATED:
        found = read_object(reply, names)
        if isinstance(found, dict):
            question, answer = text_of(found, names[0]), text_of(found, names[1])
            if isinstance(question, Unread):
                return question
            return answer if isinstance(answer, Unread) else (question, answer)
        if found.reason != "wrong shape":
            return found
    return Unread(reason="wrong shape", why="the fields question and answer were asked for")


def problem_of(state: ProblemState) -> Example:
    """The problem as a row: its answer is the short answer, in the form in which its verifier reads one."""
    row, numeric = state.row, verifier_of(state.answer) == "numeric"
    return Example(
        id=row.id, question=state.question, answer=f"Answer: {state.answer}" if numeric else state.answer,
        gold=state.answer.replace(",", "") if numeric else state.answer, verifier="numeric" if numeric else "mention",
        subject=row.subject, source=row.source,
    )


def _is_verifiable(problem: Example) -> bool:
    return verify(problem.answer, problem).correct


def _ended(state: ProblemState, outcome: str, why: str) -> ProblemState:
    return state.model_copy(update={"outcome": outcome, "why": why})
