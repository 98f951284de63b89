"""How much of a GPU's memory an engine will take, before it starts: weights, adapters, cache. Arithmetic; no torch.

The cache grows with what is asked, so this counts a busy page, not the most that could come: when memory runs out, the
engine writes fewer answers at a time (`lab.engine._batching`). Weights in 4 bits are NF4 with twice quantised scales
(Dettmers et al. 2023, section 3); embeddings, head and norms stay in bfloat16.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from lab.bases.cards import BaseCard, bases
from lab.bases.dimensions import read_shape
from lab.bases.shape import Shape
from lab.core.errors import LabError
from lab.core.task import Needs
from lab.engine.specs import EngineSpec

MIB = 2**20
WIDTHS = {"auto": 2, "bf16": 2, "4bit": 2, "fp32": 4}  # bytes of what is computed with
NF4 = 0.5 + (8 + 32 / 256) / 64 / 8  # bytes: 4 bits, an 8-bit scale for 64 of them, a 32-bit one for 256 of those
ROWS = 8  # answers at a time: four columns of two visitors
PROMPT_TOKENS = 1024
ADAPTERS, RANK = 4, 64  # variants beside the base
READ_TOKENS = 4096  # of prompts that are read together
OVERHEAD_MIB = 1024  # CUDA context, cuBLAS workspace, fragments


@dataclass(frozen=True)
class EngineMemory:
    """MiB on the GPU, by part."""

    weights: int
    adapters: int
    cache: int
    passing: int  # what a forward pass makes and forgets
    overhead: int = OVERHEAD_MIB

    @property
    def total(self) -> int:
        return sum(getattr(self, field.name) for field in fields(self))


def estimate(spec: EngineSpec) -> EngineMemory:
    """Raises LabError when nothing is known of the base's dimensions on this machine."""
    card = bases()[spec.base]
    shape, width = read_shape(card), WIDTHS[spec.precision]
    pairs = sum(map(sum, shape.linears().values()))  # in + out of every linear map of a layer
    return EngineMemory(
        weights=_mib(_weights(spec, card, shape)),
        adapters=_mib(ADAPTERS * RANK * shape.layers * pairs * width),
        cache=_mib(_cache(spec, card, shape) * width),
        passing=_mib(_passing(spec, shape) * width),
    )


def needs(spec: EngineSpec) -> Needs:
    """What an engine's job must hold. A base whose dimensions are not known here is no reason to refuse it."""
    try:
        memory_mib = estimate(spec).total
    except LabError:
        memory_mib = 0
    return Needs(lane="chat", memory_mib=memory_mib)


def _weights(spec: EngineSpec, card: BaseCard, shape: Shape) -> float:
    """Bytes."""
    width = WIDTHS[spec.precision]
    if spec.precision != "4bit":
        return card.parameters * width
    quantised = shape.layers * shape.layer_weights()
    unpacked = max(wide * high for wide, high in shape.linears().values())  # one map at a time, to compute with it
    return quantised * NF4 + (card.parameters - quantised + unpacked) * width


def _cache(spec: EngineSpec, card: BaseCard, shape: Shape) -> int:
    """Numbers kept: keys and values of every layer; room grows by doubling."""
    tokens = min(card.context_tokens, PROMPT_TOKENS + spec.max_new_tokens)
    room = 1 << (tokens - 1).bit_length()
    return 2 * shape.layers * shape.kv * min(ROWS, spec.max_rows) * room


def _passing(spec: EngineSpec, shape: Shape) -> int:
    """Numbers of one layer for the prompts being read, and the logits of the rows with two copies in float32."""
    layer = READ_TOKENS * (4 * shape.hidden + 2 * shape.queries + 3 * shape.inner)
    return layer + 5 * min(ROWS, spec.max_rows) * shape.vocabulary


def _mib(n_bytes: float) -> int:
    return round(n_bytes / MIB)
