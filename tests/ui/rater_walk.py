"""A rater's way through the whole page without a browser, shared by the tests of /rate."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlmodel import select

from lab.rating.design import RoundSpec
from lab.rating.practice import practice_units
from lab.ui.rater.session import answer
from storage.database import Store
from storage.queries.raters import invite
from storage.queries.rounds import create_round
from storage.tables.ratings import Answer, Assignment, Rater, Unit
from tests.rating.bank import MODELS, seed_bank

ABOUT = {"language_level": "native", "medical_background": "physician", "experience": "6-10"}
CLOSING = {"task_clear": "always", "content_aside": "easy", "comment": "Fine."}
FULL: dict[str, Any] = {"fluency_left": 4, "fluency_right": 2, "preference": "left", "comment": "", "visible_ms": 8000}
FRENCH = ("La réponse est {n}, ce qui reste dans les valeurs usuelles. Le patient peut rentrer chez lui sans crainte.",
          "Réponse {n}. Il être normal ceci. Patient il rentre à maison sans la peur.")


@dataclass(frozen=True)
class Walker:
    """Calls of one link, each as the page sends it."""

    store: Store
    token: str

    def call(self, action: str = "open", **more: Any) -> dict[str, Any]:
        return answer(self.store, {"token": self.token, "action": action, **more})

    def to_practice(self) -> dict[str, Any]:
        self.call("agree")
        self.call("about", answers=ABOUT)
        return self.call("start")

    def practise(self, reply: dict[str, Any], language: str = "en", right: bool = True) -> dict[str, Any]:
        """Through one try of the practice; returns the last feedback."""
        for unit in practice_units(language):
            good = {"fluency_left": unit.fluency_a, "fluency_right": unit.fluency_b,
                    "preference": {"a": "left", "b": "right"}.get(unit.preference, "tie")}
            bad = {"fluency_left": 6 - unit.fluency_a, "fluency_right": 6 - unit.fluency_b,
                   "preference": "right" if good["preference"] == "left" else "left"}
            told = self.call("practice", key=key_of(reply), **(good if right else bad))
            assert told["screen"] == "feedback"
            reply = self.call()
        return told


def key_of(reply: dict[str, Any]) -> str:
    return re.search(r'data-key="([^"]+)"', reply["html"]).group(1)


def round_with(store: Store, n_items: int = 4, **design: Any) -> tuple[Any, Walker]:
    """A round over a new bank (or the one given), and its one rater."""
    bank = design.pop("bank", None) or seed_bank(store, n_items)
    settled = {"models": (MODELS[0][0], MODELS[1][0]), "quota": 1, "gold_every": 0, "repeat_share": 0, **design}
    made = create_round(store, RoundSpec(name="Fluency", bank=bank, **settled))
    return made, Walker(store, invite(store, made.id, ["R1"])[0][1])


def speak_french(store: Store) -> None:
    """Turn every answer of the bank into a French one, so that a French round has something to show."""
    with store.write() as session:
        for place, row in enumerate(session.exec(select(Answer)).all()):
            row.question, row.shown_text = f"Que faire au cas {row.item_id[-1]} ?", FRENCH[place % 2].format(n=place)
            session.add(row)


def served_roles(store: Store) -> list[str]:
    with store.read() as session:
        return list(session.exec(select(Assignment.role).join(Rater).order_by(Assignment.id)).all())


def secrets_of(store: Store) -> list[str]:
    """Everything by which a byte of a rater's page could tell the models apart, as the store has it."""
    with store.read() as session:
        units = session.exec(select(Unit)).all()
        answers = session.exec(select(Answer)).all()
        rater = session.exec(select(Rater)).first()
    words = {unit.uid for unit in units} | {unit.sha256 for unit in units}
    words |= {unit.item_id for unit in units if unit.role != "practice"}
    words |= {row.model_label for row in answers} | {row.raw_text for row in answers if "<think" in row.raw_text}
    words |= {row.sha256 for row in answers} | {row.base for row in answers} | {rater.uid, rater.token_hash}
    return sorted(words - {""})
