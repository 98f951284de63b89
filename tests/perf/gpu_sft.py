"""An 8B-shaped base on a GPU: tokens/s, MFU and peak memory of each way to train it, against the same plain script.

    python -m tests.perf.gpu_sft [--shape 8b|small] [--length 4096] [--batch 4] [--steps 8] [--ways lora,4bit,full]

Random weights of Llama 3.1 8B's shape, rows of one length, bfloat16. `plain` is a loop in PyTorch and peft with AdamW
and the model's own loss; `lab` is the lab's trainer on the same rows, padded and packed, with each attention that the
machine has. Needs torch, transformers, peft, accelerate and trl; `4bit` needs bitsandbytes. `full` holds 16 bytes a
weight (float32 masters, gradients, two moments), 128 GB for 8B: give --layers to train a part of it on one device.

Model FLOPs of a token (PaLM, Chowdhery et al. 2022, appendix B): forward 2 N, and 2 N for the gradient of the
activations; another 2 N only for weights that are trained. To that comes attention, 2 L T H forward for the causal half
of scores and sums, twice that backward. Recomputed activations do not count: MFU, not hardware utilisation. H: width of
all queries. L: layers. N: weights of the linear maps, the head's among them. T: tokens of a row.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lab.bases.shape import Shape

SHAPES = {
    "8b": Shape(hidden=4096, layers=32, heads=32, kv_heads=8, head_dim=128, inner=14336, vocabulary=128256, tied=False),
    "small": Shape(hidden=64, layers=2, heads=4, kv_heads=2, head_dim=16, inner=128, vocabulary=320, tied=True),
}
PEAK_FLOPS = {  # dense bfloat16, from the vendor's data sheets
    "H100": 989e12, "H200": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12, "4090": 165e12, "B200": 2250e12,
}
WAYS: dict[str, dict[str, Any]] = {
    "lora": {}, "lora packed": {"packing": True}, "lora checkpointed": {"activation_checkpointing": True},
    "4bit": {"quantisation": "4bit"}, "4bit checkpointed": {"quantisation": "4bit", "activation_checkpointing": True},
    "full": {"method": "full", "activation_checkpointing": True},
}
WARM_UP = 2  # steps that do not count


@dataclass(frozen=True)
class Measured:
    """One way. `tokens_per_s` counts no padding."""

    way: str
    program: str
    attention: str
    tokens_per_s: float
    mfu: float | None
    peak_gib: float | None


def linear_weights(shape: Shape) -> int:
    """Weights that every token is multiplied with: the layers' linear maps and the head."""
    return shape.layers * shape.layer_weights() + shape.vocabulary * shape.hidden


def flops_per_token(shape: Shape, length: int, trains_all: bool, n_adapter: int = 0) -> float:
    """Model FLOPs of a token in a training step, forward and backward. `n_adapter`: weights of a LoRA adapter."""
    n = linear_weights(shape)
    linear = (6 if trains_all else 4) * n + 6 * n_adapter
    attention = 3 * 2 * shape.layers * length * shape.queries  # the causal half; forward once, backward twice that
    return float(linear + attention)


def mfu(tokens_per_s: float, flops: float, device: str) -> float | None:
    """Share of the device's peak; None for a device whose peak is not known here."""
    peak = next((value for name, value in PEAK_FLOPS.items() if name in device), None)
    return tokens_per_s * flops / peak if peak else None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", choices=SHAPES, default="8b")
    parser.add_argument("--layers", type=int, default=0, help="fewer layers than the shape has")
    parser.add_argument("--length", type=int, default=4096)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--ways", default=",".join(WAYS))
    asked = parser.parse_args()
    shape = SHAPES[asked.shape]
    shape = shape.model_copy(update={"layers": asked.layers}) if asked.layers else shape
    print("| way | program | attention | tokens/s | MFU | peak GiB |\n|---|---|---|---:|---:|---:|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        base = write_base(shape, asked.length, Path(folder) / "base")
        for way in asked.ways.split(","):
            for found in measure(way.strip(), Bench(shape, base, asked.length, asked.batch, asked.steps)):
                share = "" if found.mfu is None else f"{100 * found.mfu:.1f} %"
                peak = "" if found.peak_gib is None else f"{found.peak_gib:.1f}"
                print(f"| {found.way} | {found.program} | {found.attention} | {found.tokens_per_s:,.0f} | {share} | "
                      f"{peak} |", flush=True)
                print(json.dumps(asdict(found)), flush=True)


@dataclass(frozen=True)
class Bench:
    """What every way trains: `steps` batches of `batch` rows of `length` tokens."""

    shape: Shape
    base: Path
    length: int
    batch: int
    steps: int

    def settings(self, way: str) -> Any:
        """The job's spec, as the lab would get it; checks of names aside, for the base has no card."""
        from lab.training.specs import SftSpec

        return SftSpec.model_construct(**{
            **{name: field.default for name, field in SftSpec.model_fields.items()}, "base": "bench", "dataset": "none",
            "target": "trace", "max_length": self.length, "batch_size": self.batch, "micro_batch_size": self.batch,
            "max_steps": self.steps + WARM_UP, "learning_rate": 1e-5, "health_probes": 0, **WAYS[way],
        })


def write_base(shape: Shape, length: int, folder: Path) -> Path:
    """A config and weights in bfloat16: drawn where they are read would be quicker, but 4-bit reads files."""
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig

    config = LlamaConfig(
        hidden_size=shape.hidden, num_hidden_layers=shape.layers, num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads, head_dim=shape.head_dim, intermediate_size=shape.inner,
        vocab_size=shape.vocabulary, tie_word_embeddings=shape.tied, max_position_embeddings=max(length, 8192),
    )
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder)
    return folder


def measure(way: str, bench: Bench) -> list[Measured]:
    """The plain script and the lab's trainer, with every attention that runs here."""
    found = []
    for attention in attentions():
        for program, run in (("plain", plain), ("lab", lab)):
            if program == "plain" and "packed" in way:
                continue  # the plain script has no packing
            found.append(_measured(way, program, attention, bench, run))
    return found


def attentions() -> list[str]:
    """sdpa everywhere; flash attention where its package is."""
    from transformers.utils import is_flash_attn_2_available

    return ["sdpa", *(["flash_attention_2"] if is_flash_attn_2_available() else [])]


def _measured(
    way: str, program: str, attention: str, bench: Bench, run: Callable[..., tuple[float, int, int]]
) -> Measured:
    import torch

    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    seconds, n_tokens, n_adapter = run(bench, way, attention)
    flops = flops_per_token(bench.shape, bench.length, WAYS[way].get("method") == "full", n_adapter)
    device = torch.cuda.get_device_name() if on_gpu else "cpu"
    peak = torch.cuda.max_memory_allocated() / 2**30 if on_gpu else None
    return Measured(way, program, attention, n_tokens / seconds, mfu(n_tokens / seconds, flops, device), peak)


def policy(bench: Bench, way: str, attention: str) -> tuple[Any, Any]:
    """(begun, model), as `_start.load_policy` makes them, on a base that has neither card nor tokenizer."""
    from lab.bases.cards import BaseCard
    from lab.training._start import Begun, attached
    from lab.training._weights import read_weights

    card = BaseCard(name="bench", title="bench", family="llama", path=str(bench.base), license="none",
                    parameters=linear_weights(bench.shape), context_tokens=bench.length)
    settings = bench.settings(way)
    begun = Begun(card, None, "tags")
    model = read_weights(card, settings)
    model.set_attn_implementation(attention)
    return begun, attached(model, begun, settings)


def rows(bench: Bench) -> list[Any]:
    """Random rows, all learned but the first quarter; lengths from half to whole, so that padding costs something."""
    import torch

    from lab.training.rows import Row

    draw = torch.Generator().manual_seed(0)
    made = []
    for place in range(bench.batch * (bench.steps + WARM_UP)):
        n = bench.length if place % 2 else bench.length // 2
        ids = torch.randint(3, bench.shape.vocabulary, (n,), generator=draw).tolist()
        made.append(Row(str(place), ids[: n // 4], ids[n // 4:]))
    return made


def plain(bench: Bench, way: str, attention: str) -> tuple[float, int, int]:
    """(seconds, tokens, weights of the adapter) of a loop that anybody would write."""
    import torch

    from lab.training._start import device
    from lab.training._trainer import Collator

    _, model = policy(bench, way, attention)
    model = model.to(device()).train()
    weights = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=1e-5, fused=True)
    kept, started, n_tokens = rows(bench), 0.0, 0
    for step in range(bench.steps + WARM_UP):
        if step == WARM_UP:
            started, n_tokens = _now(), 0
        batch = Collator(0)(kept[step * bench.batch : (step + 1) * bench.batch])
        n_tokens += batch.pop("n_tokens")
        batch = {name: tensor.to(device()) for name, tensor in batch.items()}
        with torch.autocast(device().type, torch.bfloat16, enabled=device().type == "cuda"):
            loss = model(**batch, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        optimiser.zero_grad()
    return _now() - started, n_tokens, _n_adapter(model)


def lab(bench: Bench, way: str, attention: str) -> tuple[float, int, int]:
    """The same with the lab's trainer, on its own collator and loss."""
    from transformers import TrainerCallback

    from lab.training import _trl
    from lab.training._lm_head import learned_positions_alone
    from lab.training._trainer import Collator, SftTrainer

    settings = bench.settings(way)
    _, model = policy(bench, way, attention)
    clock: dict[str, float] = {}

    class Clock(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step == WARM_UP:
                clock["started"] = _now()

    with tempfile.TemporaryDirectory() as folder:
        arguments = _trl.trainer_arguments(_trl.Setting(settings, bench.batch, Path(folder)), settings.max_steps)
        collate = Collator(0, bench.length if settings.packing else 0, in_one="flash" in attention)
        trainer = SftTrainer(model=model, args=arguments, train_dataset=rows(bench), data_collator=collate,
                             callbacks=[Clock()])
        with learned_positions_alone():
            trainer.train()
    seconds = _now() - clock["started"]
    n_tokens = sum(map(len, rows(bench)))
    return seconds, round(n_tokens * bench.steps / (bench.steps + WARM_UP)), _n_adapter(model)


def _n_adapter(model: Any) -> int:
    return sum(p.numel() for p in model.parameters() if p.requires_grad) if hasattr(model, "peft_config") else 0


def _now() -> float:
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.monotonic()


if __name__ == "__main__":
    main()
