"""How much memory a training job will take on each device, before it starts. Arithmetic on a base's config; no torch.

Weights, gradients and AdamW's two moments: 4 bytes each per trained weight (ZeRO, Rajbhandari et al. 2020, section 3,
for float32 masters); a frozen base is held in bfloat16 on a GPU, or its linear maps in 4 bits (QLoRA, Dettmers et al.
2023, section 3: NF4 and twice quantised scales). FSDP divides all three by the number of processes and gathers one
layer at a time.

Activations: the tensors that backward needs, counted layer by layer as Korthikanti et al. 2022 do (section 4.1), for
today's block: RMSNorm, rotary positions, fused attention that keeps no T x T matrix, and a gated MLP. With activation
checkpointing only each layer's input is kept (Chen et al. 2016), and one layer at a time is whole. The fused head of
TRL 1.16 never holds all logits: it projects tiles of tokens by vocabulary, and so does this count.

It is an upper estimate for rows of full length (`max_length`): most batches have shorter ones. What a library, an
allocator or a driver takes besides is in `overhead`, measured once. How far it is off: `tests/perf/memory_estimate.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from lab.bases.cards import BaseCard, bases
from lab.bases.dimensions import read_shape
from lab.bases.shape import Shape
from lab.core.errors import LabError
from lab.core.task import Needs
from lab.training.specs import SftSpec

MIB = 2**20
MASTER = 4  # bytes of a weight that is trained, and of everything that goes with it
HALF = 2  # bytes in bfloat16
NF4 = 0.5 + (8 + 32 / 256) / 64 / 8  # bytes: 4 bits, an 8-bit scale for 64 of them, a 32-bit one for 256 of those
TILE = (4096, 32768)  # tokens by vocabulary that TRL 1.16 projects at a time
GPU_OVERHEAD_MIB = 1024  # CUDA context, cuBLAS workspace, fragments
CPU_OVERHEAD_MIB = 600  # Python with torch, transformers, peft and trl loaded
CPU_HEAP = 1.6  # glibc keeps freed tensors below 32 MiB in pieces; set by four runs, see tests/perf/memory_estimate.py


@dataclass(frozen=True)
class MemoryEstimate:
    """MiB on each device, by part."""

    weights: int
    gradients: int
    optimiser: int
    activations: int
    logits: int
    overhead: int

    @property
    def total(self) -> int:
        return sum(getattr(self, field.name) for field in fields(self))


def estimate(spec: SftSpec, on_gpu: bool = True) -> MemoryEstimate:
    """Raises LabError when nothing is known of the base's dimensions on this machine."""
    card = bases()[spec.base]
    shape = read_shape(card)
    shares = spec.gpus if spec.sharding == "fsdp" else 1
    trained = n_trained(spec, card, shape)
    width = HALF if on_gpu else MASTER
    held = _frozen(spec, card, shape, width) + trained * MASTER
    gathered = 2 * shape.layer_weights() * width if shares > 1 else 0  # the layer at work and the next
    buckets = trained * MASTER if spec.gpus > 1 and shares == 1 else 0  # DDP's copies of the gradients
    return MemoryEstimate(
        weights=_mib(held / shares + gathered),
        gradients=_mib(trained * MASTER / shares + buckets),
        optimiser=_mib(2 * trained * MASTER / shares),
        activations=_mib(_activations(spec, card, shape, on_gpu)),
        logits=_mib(_logits(spec, shape, on_gpu)),
        overhead=GPU_OVERHEAD_MIB if on_gpu else CPU_OVERHEAD_MIB,
    )


def needs(spec: SftSpec) -> Needs:
    """What a job must hold. A base that is not known here, or is of another build, is no reason to refuse the job."""
    try:
        memory_mib = estimate(spec).total
    except LabError:
        memory_mib = 0
    return Needs(devices=spec.gpus, memory_mib=memory_mib)


def n_trained(spec: SftSpec, card: BaseCard, shape: Shape) -> int:
    """All weights, or those of the adapter: r rows in and r columns out for each linear map it sits on."""
    if spec.method == "full":
        return card.parameters
    maps = [shape.linears()[name] for name in adapted(card, shape)]
    magnitudes = sum(high for _, high in maps) if spec.lora_variant == "dora" else 0
    return shape.layers * (spec.lora_r * sum(map(sum, maps)) + magnitudes)


def _frozen(spec: SftSpec, card: BaseCard, shape: Shape, width: int) -> float:
    """Bytes of the weights that are not trained. Embeddings, head and norms are never quantised."""
    if spec.method == "full":
        return 0
    if spec.quantisation == "none":
        return card.parameters * width
    quantised = shape.layers * shape.layer_weights()
    unpacked = max(wide * high for wide, high in shape.linears().values())  # one map at a time, to compute with it
    return quantised * NF4 + (card.parameters - quantised + unpacked) * width


def adapted(card: BaseCard, shape: Shape) -> list[str]:
    """The linear maps of a layer that an adapter sits on."""
    return [name for name in shape.linears() if card.lora_targets == "all-linear" or name in card.lora_targets]


def _activations(spec: SftSpec, card: BaseCard, shape: Shape, on_gpu: bool) -> float:
    """Bytes that backward needs, for one micro-batch of rows of full length."""
    h, q, kv, inner = shape.hidden, shape.queries, shape.kv, shape.inner
    width = HALF if on_gpu else MASTER
    # Per token. Residual stream before both norms in float32 (h + h); their outputs (h + h); queries, keys, values and
    # attention's result, once as it comes and once as the next map reads it (3q + 2kv); the gate before and after its
    # bend, its factor and their product (4 inner).
    layer = 2 * h * MASTER + (2 * h + 3 * q + 2 * kv + 4 * inner) * width
    if spec.method == "full":
        layer += 2 * h * MASTER  # the norms' scaled inputs, for the gradient of their scale
    else:
        read = sum(shape.linears()[name][0] for name in adapted(card, shape))
        copied = on_gpu or spec.lora_dropout > 0  # by dropout, or from bfloat16 to the adapter's float32 and back
        masks = read * (1 if spec.lora_dropout > 0 else 0)
        layer += masks + (read * width if copied else 0) + spec.lora_r * len(adapted(card, shape)) * width
    halves = card.parameters * HALF if on_gpu and spec.method == "full" else 0  # autocast keeps a bfloat16 copy of each
    if spec.lora_variant == "dora" and spec.method == "lora":
        maps = [shape.linears()[name] for name in adapted(card, shape)]
        layer += 2 * sum(high for _, high in maps) * width  # the base's and the adapter's results, before they meet
        halves = shape.layers * sum(wide * high for wide, high in maps) * width  # both's weights, for their norms
    passing = 1  # what backward makes of one layer while all the others are still held
    per_token = (shape.layers + passing) * layer
    if spec.activation_checkpointing:
        stream = MASTER if spec.method == "full" else width  # what one layer hands to the next
        per_token = shape.layers * h * stream + (1 + passing) * layer
    n_tokens = spec.micro_batch_size * spec.max_length
    apart = n_tokens * spec.max_length * (1 + width) if getattr(spec, "packing", False) else 0  # who may look at whom
    bytes_held = per_token * n_tokens + halves + apart
    return bytes_held if on_gpu else CPU_HEAP * bytes_held


def _logits(spec: SftSpec, shape: Shape, on_gpu: bool) -> float:
    """Bytes of the projection onto the vocabulary: the tile with its passing copies, and the gradients it returns."""
    tokens = spec.micro_batch_size * spec.max_length
    tile = min(tokens, TILE[0]) * min(shape.vocabulary, TILE[1])
    head = shape.vocabulary * shape.hidden if spec.method == "full" else 0
    held = 3 * tile * MASTER + (2 * tokens * shape.hidden + head) * MASTER
    return held if on_gpu else CPU_HEAP * held


def _mib(n_bytes: float) -> int:
    return round(n_bytes / MIB)
