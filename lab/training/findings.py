"""What a look at a job before its training finds. Plain records; `preflight.py` and its neighbours fill them in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["refused", "warning", "note"]
Verdict = Literal["ok", "warnings", "refused"]
Part = Literal["prompt", "mark", "thinking", "answer", "end"]
Range = tuple[float, float]
LEVELS: tuple[Level, ...] = ("refused", "warning", "note")

# A fault in one row of twenty is learned: it is the share of bad answers that the health gate flags (health.TOLERATED).
MANY = 0.05
N_NAMED = 5  # rows that a finding names


@dataclass(frozen=True)
class Finding:
    """One thing that was found, in a sentence. `rows` names the first rows it is about."""

    level: Level
    topic: str
    sentence: str
    rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Piece:
    """A token as text, or several tokens that make one character. `learned`: the loss is on it."""

    text: str
    part: Part
    learned: bool
    n_tokens: int = 1


@dataclass(frozen=True)
class Sample:
    """One row as the trainer sees it. `kind`: '' for a row that is learned, or what else it is."""

    id: str
    pieces: tuple[Piece, ...]
    kind: str = ""

    @property
    def n_tokens(self) -> int:
        return sum(piece.n_tokens for piece in self.pieces)

    @property
    def n_learned(self) -> int:
        return sum(piece.n_tokens for piece in self.pieces if piece.learned)


@dataclass(frozen=True)
class Lengths:
    """Tokens of the rows in their longest form, against the limit that decides which are dropped."""

    n: int  # rows that were tokenised
    n_rows: int  # rows there are; more than n where a sample was drawn
    shortest: int
    median: float
    p95: int
    longest: int
    limit: int
    n_over: int
    keeps_99: int  # the limit that would keep 99 % of them
    field: str = "max_length"

    @property
    def is_sample(self) -> bool:
        return self.n < self.n_rows


@dataclass(frozen=True)
class Estimate:
    """What a job costs. Counts are exact unless an assumption says otherwise; ranges are (low, high), None: unknown."""

    n_rows: int
    n_dropped: int
    n_tokens: int  # of one pass, prompts included
    n_learned: int  # of them, those with loss
    n_tokens_seen: int | None  # of the whole run
    n_steps: int
    memory_mib: int | None
    minutes: Range | None = None
    kwh: Range | None = None
    kg_co2: Range | None = None
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Counts:
    """Rows and tokens of a job, before anything is made of them."""

    n_rows: int = 0
    n_dropped: int = 0
    n_tokens: int = 0
    n_learned: int = 0
    n_trace_tokens: int = 0  # of one pass over the same rows in their form with the trace

    def passes(self, match: str) -> float:
        """How many times as often the rows are read, as `rows.Rows.passes` has it."""
        return self.n_trace_tokens / self.n_tokens if match == "tokens" and self.n_tokens else 1.0


@dataclass(frozen=True)
class ArmCheck:
    """One training job: a variant of a study, a stage of a curriculum, or a job by itself. `arm` decides the colour."""

    label: str
    kind: str
    arm: str
    base: str
    dataset: str
    findings: tuple[Finding, ...] = ()
    counts: Counts = Counts()
    lengths: Lengths | None = None
    samples: tuple[Sample, ...] = ()
    row_ids: tuple[str, ...] = ()  # of the rows that are kept, among those that were tokenised
    estimate: Estimate | None = None

    @property
    def verdict(self) -> Verdict:
        return verdict_of(self.findings)


@dataclass(frozen=True)
class Preflight:
    """The whole look: every training job of a recipe, and what concerns them together."""

    name: str
    kind: str
    arms: tuple[ArmCheck, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        return (*self.findings, *(finding for arm in self.arms for finding in arm.findings))

    @property
    def verdict(self) -> Verdict:
        return verdict_of(self.all_findings)

    @property
    def sentence(self) -> str:
        """One line: the verdict and why."""
        n = {level: len({(f.topic, f.sentence) for f in self.all_findings if f.level == level}) for level in LEVELS}
        words = {"ok": "Ready", "warnings": "Ready, with warnings", "refused": "Refused"}[self.verdict]
        counted = [f"{n[level]} {name if n[level] == 1 else name + 's'}"
                   for level, name in (("refused", "fault"), ("warning", "warning"), ("note", "note")) if n[level]]
        return f"{words}: {', '.join(counted)}" if counted else f"{words}: nothing found"

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        arms = [{**asdict(arm), "verdict": arm.verdict} for arm in self.arms]
        for arm in arms:
            del arm["row_ids"]
        return {"name": self.name, "kind": self.kind, "verdict": self.verdict, "sentence": self.sentence,
                "findings": [asdict(finding) for finding in self.findings], "arms": arms}


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    levels = {finding.level for finding in findings}
    return "refused" if "refused" in levels else "warnings" if "warning" in levels else "ok"


def of_rows(ids: Sequence[str], n: int, topic: str, what: str, *, few: Level = "warning", many: Level = "refused"
            ) -> list[Finding]:
    """One finding on `ids` of `n` rows, or none. Worse where they are MANY. `what` goes on after '3 of 120 rows '."""
    if not ids:
        return []
    level = many if len(ids) >= MANY * n else few
    return [Finding(level, topic, f"{len(ids):,} of {n:,} rows {what}", tuple(ids[:N_NAMED]))]
