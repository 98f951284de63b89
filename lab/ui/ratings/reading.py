"""What takes seconds to work out, once for each state of a round: its quality, its results, the texts beside the
scores, and what a round would be made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.ui.ratings.keeping import Kept
from lab.ui.ratings.questions import Question, questions_of
from storage.queries.ratings import BankModel, current, get_round, rating_rows_of, require_results, round_models
from storage.queries.round_stamps import Stamp, round_stamp
from storage.queries.rounds import preview_round

if TYPE_CHECKING:
    from lab.rating.blinding import Material
    from lab.rating.design import RoundSpec
    from lab.rating.quality import QualityResults
    from lab.rating.results import RoundResults
    from storage.database import Store
    from storage.tables import Round

KEPT = 6


@dataclass(frozen=True)
class Found:
    """The results of a round with the round itself."""

    round: Round
    models: dict[str, BankModel]
    results: RoundResults


class Reading:
    """The page's one place for slow figures; the poll never asks it."""

    def __init__(self, store: Store):
        self.store = store
        self._results: Kept[RoundResults] = Kept(KEPT)
        self._quality: Kept[QualityResults] = Kept(KEPT)
        self._questions: Kept[tuple[Question, ...]] = Kept(KEPT)
        self._material: Kept[Material] = Kept(KEPT)

    def results(self, round_id: int) -> Found:
        """LabError while they are locked."""
        from storage.queries.round_results import round_results

        with self.store.read() as session:
            the_round = get_round(session, round_id)
            require_results(the_round)
            found = self._results.of(self._key(round_id, round_stamp(session, round_id)),
                                     lambda: round_results(session, round_id))
            return Found(the_round, round_models(session, the_round), found)

    def quality(self, round_id: int) -> QualityResults:
        """Of an open round, too: nothing in it names a model."""
        from storage.queries.round_results import round_quality

        with self.store.read() as session:
            get_round(session, round_id)
            return self._quality.of(self._key(round_id, round_stamp(session, round_id)),
                                    lambda: round_quality(session, round_id))

    def questions(self, round_id: int) -> tuple[Question, ...]:
        """Every rated unit with its texts and what was said of it. LabError while results are locked."""
        with self.store.read() as session:
            require_results(get_round(session, round_id))
            return self._questions.of(
                self._key(round_id, round_stamp(session, round_id)),
                lambda: questions_of(current(rating_rows_of(session, round_id))))

    def material(self, spec: RoundSpec) -> Material:
        """What a round would be made of. Wording, quota and people have no part in it. LabError: bank or model is
        gone."""
        key = (spec.bank, spec.models, spec.pairing, spec.task, spec.seed)

        def read() -> Material:
            with self.store.read() as session:
                return preview_round(session, spec)

        return self._material.of(key, read)

    @staticmethod
    def _key(round_id: int, stamp: Stamp) -> tuple[int, Stamp]:
        return round_id, stamp
