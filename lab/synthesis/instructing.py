"""From a text to an instruction, its answer and a pair: the pipeline of FineMed as one pure machine.

FineMedLM-o1 (arXiv 2501.09213, section 3; hongzhouyu/FineMed, 'Synthetic Data'):

    two questions ─► a grade each ─► the better one
      ├─ common ──► an answer, with the text as background
      └─ complex ─► long answers ─► the best ─► a direct answer ─► a pair, or none
    ─► department ─► department within it

What comes next follows from what the state holds: `route` goes down this list and stops at the first thing that is
missing. A request whose reply cannot be read is made `format_tries` times, each with a seed of its own. Then it is
lost, which ends the text, discards a question or a sample, or leaves a pair or a department out: always counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

from lab.data.texts import Text
from lab.synthesis.answers import read_answer, read_long_answer, whole
from lab.synthesis.departments import choices_after, read_department
from lab.synthesis.grading import read_grade, read_questions
from lab.synthesis.judging import read_better
from lab.synthesis.machine import Ask, Reply, seed_of
from lab.synthesis.pairing import pairing, sampling, with_sample
from lab.synthesis.prompts import Prompts
from lab.synthesis.selecting import UNREAD, Least, select
from lab.synthesis.specs import InstructionsSpec
from lab.synthesis.text_state import DIRECT, KEPT, LongAnswer, Phase, Question, TextState, ending
from lab.synthesis.unread import Unread

Role = Literal["teacher", "thinker", "judge"]


class Request(NamedTuple):
    """How one phase asks, and what becomes of its reply."""

    prompt: str
    values: Callable[[TextState], dict[str, str]]
    read: Callable[[TextState, Reply], Any]  # the value or Unread
    take: Callable[[TextState, Any], TextState]
    lost: Callable[[TextState, Unread], TextState]
    role: Role = "teacher"
    greedy: bool = False  # a verdict


@dataclass(frozen=True)
class InstructionsMachine:
    """One text at a time. Roles: teacher, and where the spec names them thinker and judge."""

    spec: InstructionsSpec
    prompts: Prompts
    state: ClassVar[type[TextState]] = TextState
    name: ClassVar[str] = "instructions"
    version: ClassVar[int] = 1

    def begin(self, item: Text) -> TextState:
        text = cut_text(item.text, self.spec.max_text_chars)
        return TextState(id=item.id, text=text, source=item.source, cut=len(text) < len(item.text))

    def ask(self, state: TextState) -> Ask:
        request = REQUESTS[state.phase]
        # The same greedy request would have the same reply: a further try is drawn.
        greedy = request.greedy and not state.tries
        return Ask(
            role="teacher" if request.role == "thinker" and not self.spec.thinker else request.role,
            prompt=request.prompt, messages=self.prompts.write(request.prompt, **request.values(state)),
            max_new_tokens=self.spec.max_new_tokens,
            temperature=0.0 if greedy else self.spec.temperature, top_p=1.0 if greedy else self.spec.top_p,
            seed=seed_of(self.spec.seed, state.id, state.phase, state.part, state.tries),
        )

    def step(self, state: TextState, reply: Reply) -> TextState:
        request, state = REQUESTS[state.phase], state.but(n_asked=state.n_asked + 1)
        value = request.read(state, reply)
        if not isinstance(value, Unread):
            return route(self.spec, request.take(state, value))
        state = state.but(unread=(*state.unread, f"{request.prompt}: {value.reason}"), tries=state.tries + 1)
        # An endpoint that refuses a request refuses it with another seed, too.
        if value.reason != "refused" and state.tries < self.spec.format_tries:
            return state
        return route(self.spec, request.lost(state, value))


def cut_text(text: str, most: int) -> str:
    """A longer text up to its limit, without the half word there."""
    if len(text) <= most:
        return text
    kept = text[:most]
    whole_words = kept if text[most].isspace() else kept.rpartition(" ")[0]
    return whole_words.rstrip() or kept


def route(spec: InstructionsSpec, state: TextState) -> TextState:
    """The state with what is asked next, or ended."""
    state = state.but(phase="")
    for part in (grading, selecting, answering, sampling, pairing, placing):
        if not state.done and not state.phase:
            state = part(spec, state)
    if state.done or state.phase:
        return state
    return state.ended("common" if state.style == "common" else "paired" if state.pair == KEPT else "not paired")


def grading(spec: InstructionsSpec, state: TextState) -> TextState:
    ungraded = [place for place, each in enumerate(state.questions) if each.grade is None and not each.fault]
    return state.asking("grade", ungraded[0]) if ungraded else state


def selecting(spec: InstructionsSpec, state: TextState) -> TextState:
    """Once: the selection rule, and by complexity the style of the answer."""
    if state.selected is not None:
        return state
    grades = [each.grade for each in state.questions]
    place, discarded = select(grades, Least(spec.min_quality, spec.min_relevance), spec.seed, state.id)
    questions = tuple(each.model_copy(update={"fault": each.fault or why})
                      for each, why in zip(state.questions, discarded, strict=True))
    state = state.but(questions=questions)
    if place is None:
        return state.ended(", ".join(sorted(set(discarded))), "no question of this text can be kept")
    grade = grades[place]
    is_complex = grade is not None and grade.complexity > spec.complex_above
    # Long reasoning is asked for without the text: nothing needs it any more.
    return state.but(selected=place, style="complex" if is_complex else "common", text="" if is_complex else state.text)


def answering(spec: InstructionsSpec, state: TextState) -> TextState:
    return state.asking("answer") if state.style == "common" and not state.answer else state


def placing(spec: InstructionsSpec, state: TextState) -> TextState:
    """Two passes: the department, then one within it unless 'None' was said."""
    if not spec.departments:
        return state
    if state.department is None:
        return state.asking("department")
    if state.subdepartment is None and choices_after(state.department):
        return state.asking("subdepartment")
    return state


def _with_questions(state: TextState, found: tuple[str, ...]) -> TextState:
    return state.but(questions=tuple(Question(text=each) for each in found))


def _question(state: TextState, **changes: Any) -> TextState:
    """With the question that was graded changed."""
    changed = [each.model_copy(update=changes) if place == state.part else each
               for place, each in enumerate(state.questions)]
    return state.but(questions=tuple(changed))


def _judged(state: TextState, said: Any) -> TextState:
    last = state.compared[-1]
    told = last.lost() if isinstance(said, Unread) else last.told(said)
    return state.but(compared=(*state.compared[:-1], told))


def _shown(state: TextState) -> dict[str, str]:
    """Both answers of a comparison, in the order that is asked."""
    last = state.compared[-1]
    sides = [state.direct or "" if place == DIRECT else whole(state.long[place]) for place in (last.a, last.b)]
    first, second = sides if last.a_first else sides[::-1]
    return {"question": state.question, "first": first, "second": second}


def _to_place(state: TextState) -> dict[str, str]:
    return {"question": state.question, "answer": state.said, "choices": "\n".join(_choices(state))}


def _choices(state: TextState) -> tuple[str, ...]:
    return choices_after(state.department if state.phase == "subdepartment" else None)


REQUESTS: dict[Phase, Request] = {
    "questions": Request(
        "instructions", lambda state: {"text": state.text}, lambda state, reply: read_questions(reply),
        _with_questions, lambda state, unread: state.ended(ending("questions", unread), unread.why)),
    "grade": Request(
        "grade", lambda state: {"text": state.text, "question": state.questions[state.part].text},
        lambda state, reply: read_grade(reply), lambda state, grade: _question(state, grade=grade),
        lambda state, unread: _question(state, fault=UNREAD), greedy=True),
    "answer": Request(
        "answer", lambda state: {"text": state.text, "question": state.question},
        lambda state, reply: read_answer(reply), lambda state, answer: state.but(answer=answer, text=""),
        lambda state, unread: state.ended(ending("answer", unread), unread.why)),
    "long": Request(
        "long_answer", lambda state: {"question": state.question}, lambda state, reply: read_long_answer(reply),
        with_sample, lambda state, unread: with_sample(state, LongAnswer(fault=ending("answer", unread))),
        role="thinker"),
    "compare": Request(
        "compare", _shown, lambda state, reply: read_better(reply), _judged, _judged, role="judge", greedy=True),
    "direct": Request(
        "direct", lambda state: {"question": state.question}, lambda state, reply: read_answer(reply),
        lambda state, answer: state.but(direct=answer),
        lambda state, unread: state.but(direct="", pair=ending("direct answer", unread))),
    "department": Request(
        "department", _to_place, lambda state, reply: read_department(reply, _choices(state)),
        lambda state, name: state.but(department=name), lambda state, unread: state.but(department=""), greedy=True),
    "subdepartment": Request(
        "department", _to_place, lambda state, reply: read_department(reply, _choices(state)),
        lambda state, name: state.but(subdepartment=name), lambda state, unread: state.but(subdepartment=""),
        greedy=True),
}
