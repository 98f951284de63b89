"""Search: from a verifiable problem to a verified line of reasoning (HuatuoGPT-o1, arXiv 2412.18925, section 2.2;
search_for_complex_reasoning_path.py).

    think → verify ─ right ─→ naturalise → respond → confirm → (ablation: simple, direct, each verified) → solved
              ↑  └─ wrong ─→ rethink by a drawn strategy, at most `rethinks` times an attempt, `attempts` attempts
              └────────────────┘

What the sources do, and what differs here:
- A rethink replaces the trailing check of the reasoning, whose "it holds" was wrong, by steps that begin with a check.
- A request whose reply cannot be read is made `format_tries` times in all. A reasoning that stays unreadable ends its
  attempt; a verdict that stays unreadable counts as not verified. Both are counted in the state.
- The final response is verified too, whatever the settings: the sources verify the conclusion alone, but what a model
  learns is the response, and a rewrite may lose or turn the answer. One that lost it is written once more.
- With `show_label`, a problem that stays unsolved has its true answer shown. Its reasoning is taken without a verdict
  and marked label_shown: it was led to its end and is no example of a search.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lab.core.types import Example
from lab.data.chat import question_text
from lab.synthesis.actions import Action, as_json, without_check
from lab.synthesis.machine import Ask, Reply, seed_of
from lab.synthesis.natural import read_natural, read_simple, read_unmarked
from lab.synthesis.prompts import Prompts
from lab.synthesis.replies import read_actions, read_true_false
from lab.synthesis.search_state import Phase, Plainly, SearchState, candidate, reference
from lab.synthesis.specs import RULE, ReasoningSpec
from lab.synthesis.strategies import STRATEGIES, strategy
from lab.synthesis.unread import Unread
from lab.verify.verifier import verify

SOLVED = "solved"
LOST = "response lost the answer"
UNMATCHED = {"simple": "simple not verified", "direct": "direct not verified"}  # kept, but not among the matched
OUTCOMES = (SOLVED, "unsolved", "unreadable reasoning", "refused", "not naturalised", "unreadable response", LOST,
            *UNMATCHED.values())
VERDICTS: dict[Phase, Phase] = {"verify": "rethink", "confirm": "respond", "verify simple": "simple",
                                "verify direct": "direct"}  # phase of a verdict → what is written anew where it is no
TEMPLATES: dict[Phase, str] = {"label": "label_shown", **{phase: "verify" for phase in VERDICTS}}
MOST_REWRITTEN = 1


@dataclass(frozen=True)
class ReasoningMachine:
    """One problem's search."""

    spec: ReasoningSpec
    prompts: Prompts
    state: ClassVar[type[SearchState]] = SearchState
    name: ClassVar[str] = "search"
    version: ClassVar[int] = 1

    def begin(self, item: Example) -> SearchState:
        return SearchState(id=item.id, row=item)

    def ask(self, state: SearchState) -> Ask:
        spec, name = self.spec, TEMPLATES.get(state.phase, state.phase)
        is_verdict = state.phase in VERDICTS
        # The same greedy request would give the same reply again: a second try is drawn.
        drawn = not is_verdict or state.tries > 0
        return Ask(
            role="verifier" if is_verdict else "teacher", prompt=name,
            messages=self.prompts.write(name, **self._values(state)), max_new_tokens=spec.max_new_tokens,
            temperature=spec.temperature if drawn else 0.0, top_p=spec.top_p if drawn else 1.0,
            seed=seed_of(spec.seed, state.id, state.phase, *_place(state)),
        )

    def _values(self, state: SearchState) -> dict[str, str]:
        """All that a template may name; each takes its own."""
        return {
            "question": question_text(state.row), "reference": reference(state.row), "candidate": candidate(state),
            "reasoning": as_json(without_check(state.actions)), "steps": as_json(state.actions), "notes": state.trace,
            "strategy": STRATEGIES[state.strategies[-1]] if state.phase == "rethink" else "",
        }

    def step(self, state: SearchState, reply: Reply) -> SearchState:
        state = state.but(n_asked=state.n_asked + 1)
        match state.phase:
            case "think" | "rethink" | "label":
                found = read_actions(reply, continues=state.phase != "think")
                return self._unread(state, found) if isinstance(found, Unread) else self._reasoned(state, found)
            case "naturalise":
                text = read_natural(reply)
                return self._unread(state, text) if isinstance(text, Unread) else state.but(
                    trace=text, phase="respond", tries=0)
            case "respond":
                text = read_unmarked(reply)
                return self._unread(state, text) if isinstance(text, Unread) else self._to_verdict(
                    state.but(response=text), "confirm")
            case "simple" | "direct":
                return self._plainly(state, reply)
        verdict = read_true_false(reply)
        return self._unread(state, verdict) if isinstance(verdict, Unread) else self._judged(state, verdict)

    def _reasoned(self, state: SearchState, found: tuple[Action, ...]) -> SearchState:
        """A reasoning that can be read: the whole of it, or new steps in the place of its trailing check."""
        actions = found if state.phase == "think" else (*without_check(state.actions), *found)
        state = state.but(actions=actions, n_reasonings=state.n_reasonings + 1)
        if state.phase == "label":
            return state.but(phase="naturalise", tries=0, provenance="label_shown", depth=len(state.strategies))
        if state.phase == "think":
            state = state.but(strategies=())
        return self._to_verdict(state, "verify")

    def _to_verdict(self, state: SearchState, phase: Phase) -> SearchState:
        state = state.but(phase=phase, tries=0)
        if self.spec.verifier == RULE:
            return self._judged(state, verify(candidate(state), state.row).correct)
        return state

    def _judged(self, state: SearchState, right: bool) -> SearchState:
        state = state.but(tries=0)
        if not right:
            return self._wrong(state)
        if state.phase == "verify":
            return state.but(phase="naturalise", provenance="found")
        if state.phase == "confirm":
            state = state.but(confirmed=True)
            return state.but(phase="simple") if self.spec.ablation else state.but(outcome=SOLVED)
        return state.but(phase="direct") if state.phase == "verify simple" else state.but(outcome=SOLVED)

    def _wrong(self, state: SearchState) -> SearchState:
        if state.phase == "verify":
            if state.depth >= self.spec.rethinks:
                return self._next_attempt(state, "no conclusion of it agreed with the true answer")
            depth = state.depth + 1
            drawn = strategy(self.spec.seed, state.id, state.attempt, depth)
            return state.but(phase="rethink", depth=depth, strategies=(*state.strategies, drawn))
        if state.phase == "confirm":
            if state.rewritten < MOST_REWRITTEN:
                return state.but(phase="respond", rewritten=state.rewritten + 1)
            return _ended(state, LOST, "the final response, written twice, does not state the true answer")
        form = VERDICTS[state.phase]
        return self._plainly_again(state, f"none of {self.spec.attempts} {form} answers agrees with the true answer")

    def _next_attempt(self, state: SearchState, why: str, declined: bool = False) -> SearchState:
        if state.attempt < self.spec.attempts:
            return state.but(phase="think", attempt=state.attempt + 1, depth=0, tries=0)
        if self.spec.show_label and state.actions:
            return state.but(phase="label", tries=0)
        if state.n_reasonings:
            unsure = f"; {state.n_unsure} verdicts could not be read" if state.n_unsure else ""
            return _ended(state, "unsolved", f"after {state.attempt} attempts; of the last one: {why}{unsure}")
        return _ended(state, "refused" if declined else "unreadable reasoning", why)

    def _plainly(self, state: SearchState, reply: Reply) -> SearchState:
        """An answer of the ablation. One that cannot be read is one of its tries."""
        form = state.phase
        before = state.simple if form == "simple" else state.direct
        found = read_simple(reply) if form == "simple" else read_unmarked(reply)
        trace, answer = found if isinstance(found, tuple) else ("", "" if isinstance(found, Unread) else found)
        state = state.but(**{form: Plainly(trace=trace, answer=answer, n=before.n + 1 if before else 1)})
        if isinstance(found, Unread):
            return self._plainly_again(_counted(state, found), f"{found.reason}: {found.why}")
        return self._to_verdict(state, "verify simple" if form == "simple" else "verify direct")

    def _plainly_again(self, state: SearchState, why: str) -> SearchState:
        form = VERDICTS.get(state.phase, state.phase)
        kept = state.simple if form == "simple" else state.direct
        if kept and kept.n < self.spec.attempts:
            return state.but(phase=form, tries=0)
        return _ended(state, UNMATCHED[form], f"kept in complex.jsonl, not among the matched: {why}")

    def _unread(self, state: SearchState, unread: Unread) -> SearchState:
        """Once more with another seed, or what follows where the request stays without a usable reply."""
        state, why = _counted(state, unread), f"{unread.reason}: {unread.why}"
        if state.tries + 1 < self.spec.format_tries:
            return state.but(tries=state.tries + 1)
        declined = unread.reason in ("refusal", "refused")
        if state.phase in VERDICTS:
            return self._wrong(state.but(n_unsure=state.n_unsure + 1, tries=0))
        if state.phase == "rethink":
            state = state.but(strategies=state.strategies[:-1])
        if state.phase in ("think", "rethink"):
            return self._next_attempt(state, why, declined)
        if state.phase == "label":
            return _ended(state, "unsolved", f"the true answer was shown, and the reply could not be read: {why}")
        missing = "not naturalised" if state.phase == "naturalise" else "unreadable response"
        return _ended(state, "refused" if declined else missing, why)


def _place(state: SearchState) -> tuple[int, ...]:
    """What tells one request of a phase from the next: no two of an item share a seed."""
    plain = state.direct if "direct" in state.phase else state.simple if "simple" in state.phase else None
    return state.attempt, state.depth, state.rewritten, plain.n if plain else 0, state.tries


def _counted(state: SearchState, unread: Unread) -> SearchState:
    return state.but(n_unread=state.n_unread | {unread.reason: state.n_unread.get(unread.reason, 0) + 1})


def _ended(state: SearchState, outcome: str, why: str) -> SearchState:
    return state.but(outcome=outcome, why=why)
