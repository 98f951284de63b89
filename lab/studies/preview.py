"""What a study would cost, variant by variant, before it is launched. The minutes are an estimate, and said to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lab.bases.cards import bases
from lab.core.errors import LabError
from lab.data.targets import WITH_THINKING
from lab.studies.spec import StudySpec
from lab.training.counting import Counted, count
from lab.training.memory import estimate
from lab.training.specs import SftSpec

START_SECONDS = 10.0  # a job's process: imports and reading the base
# Tokens per second of LoRA training on one core of a shared machine, measured on demo-llama: a careful first guess.
CORE_SPEED: Mapping[str, float] = {"trace": 3000.0, "answer": 4500.0}
CORE_PARAMETERS = 1_105_664
Speeds = Mapping[tuple[str, str], float]  # (base, target) -> training tokens per second on this machine


@dataclass(frozen=True)
class PreviewRow:
    """One variant. Counts are exact; `minutes` is an estimate, None where no speed is known yet."""

    variant: str
    base: str
    dataset: str
    target: str
    seed: int
    n_rows: int
    n_dropped: int
    n_tokens: int  # of one pass
    n_steps: int
    minutes: float | None
    memory_mib: int | None  # on each device, by estimate; None where the base's config is not on this machine
    problem: str = ""  # why this variant would fail, in one sentence


def preview(spec: StudySpec, speeds: Speeds | None = None, on_gpu: bool = False) -> list[PreviewRow]:
    """One row a variant, in the order of the grid. `speeds` come from finished jobs on this machine."""
    return [_row(variant, speeds or {}, on_gpu) for variant in spec.variants()]


def _row(variant: SftSpec, speeds: Speeds, on_gpu: bool) -> PreviewRow:
    problem, counted = "", Counted(0, 0, 0)
    try:
        counted = count(variant)
    except LabError as error:
        problem = str(error)
    if not problem and not counted.n_rows:
        problem = f"none of {counted.n_dropped} rows fits max_length {variant.max_length}"
    n_steps = 0 if problem else _n_steps(variant, counted)
    return PreviewRow(
        variant.variant_name(), variant.base, variant.dataset, variant.target, variant.seed,
        counted.n_rows, counted.n_dropped, counted.n_tokens, n_steps,
        None if problem else _minutes(variant, counted, speeds), _memory(variant, on_gpu), problem,
    )


def _memory(variant: SftSpec, on_gpu: bool) -> int | None:
    try:
        return estimate(variant, on_gpu).total
    except LabError:
        return None


def _n_steps(variant: SftSpec, counted: Counted) -> int:
    return variant.n_steps(counted.n_rows, counted.passes(variant.match))


def _minutes(variant: SftSpec, counted: Counted, speeds: Speeds) -> float | None:
    speed = speeds.get((variant.base, variant.target)) or first_guess(variant)
    if not speed:
        return None
    passes = _n_steps(variant, counted) * variant.batch_size / counted.n_rows
    return (START_SECONDS + passes * counted.n_tokens / speed) / 60


def first_guess(variant: SftSpec) -> float | None:
    """Before any job ran: an embedded base trains on a CPU, at a speed that falls with its size. Of others nothing is
    known: it hangs on the GPU."""
    card = bases()[variant.base]
    form = "trace" if variant.target in WITH_THINKING else "answer"
    return CORE_SPEED[form] * CORE_PARAMETERS / card.parameters if card.path else None
