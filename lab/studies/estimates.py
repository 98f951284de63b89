"""What a training job will cost: steps, tokens, memory, minutes, kWh and CO2, each with what it rests on.

Minutes come from jobs that finished on this machine; before that from a first guess for embedded bases on a CPU, and
for bases that need a GPU from arithmetic: a token costs 6 operations a weight (Kaplan et al. 2020, section 2.1), 4
where the base is frozen and no weight gradient is taken. Energy is what the meter of such a job would read.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from lab.bases.cards import BaseCard, bases
from lab.core.errors import LabError
from lab.core.settings import Settings
from lab.energy import account, host, tables
from lab.studies.preview import START_SECONDS, Speeds, first_guess
from lab.training.findings import ArmCheck, Estimate, Range
from lab.training.memory import estimate as memory_of
from lab.training.preference_specs import DpoSpec
from lab.training.rl_specs import RlSettings
from lab.training.specs import SftSpec

MEASURED: Range = (0.8, 1.25)  # jobs of one base and target on one machine repeat within a quarter
GUESSED: Range = (0.5, 2.0)  # another core, another load
UTILISED: Range = (0.20, 0.45)  # share of a GPU's peak that such training reaches
CPU_PARAMETERS = 100_000_000  # a base of more is not trained on a CPU


@dataclass(frozen=True)
class Device:
    """The GPU that is assumed where none has been measured: NVIDIA's data sheet of the H100 SXM5, dense bfloat16."""

    name: str = "H100 SXM"
    flops: float = 989e12
    watts: float = 700.0
    idle_share: float = 0.4  # of the watts at the least, while it trains


@dataclass(frozen=True)
class Conditions:
    """What an estimate is made for. `speeds`: (base, target) → tokens per second of finished jobs on this machine."""

    speeds: Speeds = field(default_factory=dict)
    on_gpu: bool = False
    device: Device = Device()


def with_estimate(arm: ArmCheck, spec: Any, conditions: Conditions) -> ArmCheck:
    """The arm with its estimate, if it trains and rows are left."""
    counts = arm.counts
    if not counts.n_rows or not isinstance(spec, (SftSpec, DpoSpec, RlSettings)):
        return arm
    seen, n_steps, why = _tokens_seen(spec, arm)
    found = Estimate(counts.n_rows, counts.n_dropped, counts.n_tokens, counts.n_learned, seen, n_steps,
                     _memory(spec, conditions.on_gpu), assumptions=tuple(why))
    return replace(arm, estimate=_with_time(found, spec, conditions))


def _tokens_seen(spec: Any, arm: ArmCheck) -> tuple[int | None, int, list[str]]:
    """(tokens of the whole run, steps, what is assumed)."""
    counts = arm.counts
    if isinstance(spec, RlSettings):
        n_steps = spec.n_steps()
        mean_prompt = counts.n_tokens / counts.n_rows
        most = round(spec.n_episodes * (mean_prompt + spec.max_new_tokens))
        return most, n_steps, ["tokens: at most, if every sampled answer took its whole budget"]
    passes = counts.passes(spec.match) if isinstance(spec, SftSpec) else 1.0
    n_steps = spec.n_steps(counts.n_rows, passes) if isinstance(spec, SftSpec) else spec.n_steps(counts.n_rows)
    rows_seen = n_steps * spec.batch_size if spec.max_steps else spec.epochs * passes * counts.n_rows
    return round(rows_seen / counts.n_rows * counts.n_tokens), n_steps, []


def _memory(spec: Any, on_gpu: bool) -> int | None:
    """MiB on each device. A forward pass of preference training holds two sequences a row."""
    rows = 2 * spec.micro_batch_size if isinstance(spec, DpoSpec) else spec.micro_batch_size
    try:
        return memory_of(spec.model_copy(update={"micro_batch_size": rows}), on_gpu).total
    except LabError:
        return None


def _with_time(found: Estimate, spec: Any, conditions: Conditions) -> Estimate:
    minutes, why = _minutes(found, spec, conditions)
    found = replace(found, minutes=minutes, assumptions=(*found.assumptions, *why))
    if minutes is None:
        return found
    try:
        return _with_energy(found, spec, conditions, bases()[spec.base])
    except (LabError, OSError) as error:
        return replace(found, assumptions=(*found.assumptions, f"energy is not known: {error}"))


def _minutes(found: Estimate, spec: Any, conditions: Conditions) -> tuple[Range | None, list[str]]:
    """(minutes, what they rest on). Only supervised training has a known cost a token."""
    card = bases()[spec.base]
    if not isinstance(spec, SftSpec) or not found.n_tokens_seen:
        return None, [f"minutes: not estimated for {spec.kind}"]
    tokens = found.n_tokens_seen
    if measured := conditions.speeds.get((spec.base, spec.target)):
        return (_span(START_SECONDS + tokens / measured, MEASURED),
                [f"minutes: at {measured:,.0f} tokens a second, as finished jobs here have reached"])
    if guessed := None if _needs_gpu(card) else first_guess(spec):
        return (_span(START_SECONDS + tokens / guessed, GUESSED),
                [f"minutes: a first guess of {guessed:,.0f} tokens a second on one core, within a factor of 2"])
    peak = conditions.device.flops * spec.gpus
    work = (6 if spec.method == "full" else 4) * card.parameters * tokens
    low, high = (START_SECONDS + work / (peak * share) for share in reversed(UTILISED))
    return (low / 60, high / 60), [
        f"minutes: arithmetic, on {spec.gpus} × {conditions.device.name} used to {100 * UTILISED[0]:.0f} to "
        f"{100 * UTILISED[1]:.0f} % of {conditions.device.flops / 1e12:.0f} TFLOP/s"]


def _needs_gpu(card: BaseCard) -> bool:
    return not card.path or card.parameters > CPU_PARAMETERS


def _span(seconds: float, factors: Range) -> Range:
    return seconds * factors[0] / 60, seconds * factors[1] / 60


def _with_energy(found: Estimate, spec: SftSpec, conditions: Conditions, card: BaseCard) -> Estimate:
    """The account of the readings such a job would leave: the low end of the minutes to the high one."""
    settings = Settings.from_env()
    machine = host.machine()
    known = tables.look_up([machine.cpu_model], [machine.memory_gib], settings.country)
    place = account.Place(settings.country, settings.grid_g_per_kwh, settings.pue)
    low, high = (
        account.account([_reading(60 * minutes, found, spec, (conditions.device, machine, card, end))], known, place)
        for minutes, end in zip(found.minutes or (0, 0), ("low", "high"), strict=True)
    )
    device = conditions.device
    rests = "energy: one busy CPU thread and the memory the job holds"
    if _needs_gpu(card):
        least = f"{100 * device.idle_share:.0f} %"
        rests = f"energy: {spec.gpus} × {device.name} at {device.watts:.0f} W, from {least} of it on"
    return replace(found, kwh=(low["kwh_low"], high["kwh_high"]), kg_co2=(low["kg_low"], high["kg_high"]),
                   assumptions=(*found.assumptions, rests, f"grid: {high['grid']}; PUE {place.pue:g}"))


def _reading(seconds: float, found: Estimate, spec: SftSpec, held: tuple[Device, host.Machine, BaseCard, str]
             ) -> dict[str, Any]:
    """What `lab.energy.meter` would write after `seconds` of this job."""
    device, machine, card, end = held
    reading: dict[str, Any] = {"attempt": 1, "seconds": seconds, "faults": [], "gpus": [], "machine": None,
                               "joules": {}}
    if _needs_gpu(card):
        watts = device.watts * (device.idle_share if end == "low" else 1.0)
        return reading | {"gpus": [{"joules": watts * seconds, "how": "power"}] * spec.gpus}
    gib = (found.memory_mib or 0) / 1024
    return reading | {"machine": vars(machine), "joules": {"cpu": None, "memory": None}, "cpu_s": seconds,
                      "memory_gib_s": gib * seconds}
