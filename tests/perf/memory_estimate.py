"""How far the memory estimate is from what a step takes: `python tests/perf/memory_estimate.py [--large]`, by hand.

Each case is a process of its own that trains three steps with rows of full length on the CPU; the peak is the kernel's
(VmHWM). `--large` adds a Qwen2.5-0.5B shape with random weights, which takes minutes and about 5 GB. The weights alone
are compared with accelerate's own count on the meta device.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

QWEN_05B = {
    "vocab_size": 151936, "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24,
    "num_attention_heads": 14, "num_key_value_heads": 2, "tie_word_embeddings": True, "max_position_embeddings": 32768,
}
SMALL = [
    ("demo-llama", {"method": method, "micro_batch_size": micro, "lora_dropout": dropout})
    for method, micro, dropout in (("lora", 24, 0.0), ("lora", 24, 0.1), ("lora", 96, 0.0), ("full", 24, 0.0))
]
LARGE = [
    ("qwen2.5-0.5b-shape", {"method": "lora", "micro_batch_size": micro, "max_length": length, "lora_r": 16})
    for micro, length in ((1, 256), (2, 512))
]


def main() -> None:
    print(f"{'base':20} {'settings':72} {'estimate':>9} {'measured':>9} {'ratio':>6}   MiB")
    for base, settings in SMALL + (LARGE if "--large" in sys.argv else []):
        done = subprocess.run(
            [sys.executable, __file__, "--case", json.dumps([base, settings])], capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(done.stderr)
        found = json.loads(done.stdout.splitlines()[-1])
        ratio = found["estimate"] / found["measured"]
        print(f"{base:20} {json.dumps(settings):72} {found['estimate']:9} {found['measured']:9} {ratio:6.2f}   "
              f"{found['parts']} · weights by accelerate: {found['accelerate_weights']}")


def case(base: str, settings: dict) -> dict:
    """Estimate and measure one case in this process."""
    from dataclasses import asdict

    from lab.training.memory import estimate
    from lab.training.specs import SftSpec

    settings = {"max_length": 256, "batch_size": settings["micro_batch_size"], **settings}
    with tempfile.TemporaryDirectory() as folder:
        if base not in known_bases():
            make_base(base, Path(folder) / "base")
        spec = SftSpec(base=base, dataset="demo-medical", target="trace", **settings)
        expected = estimate(spec, on_gpu=False)
        measured, weights = measure(spec, Path(folder))
    parts = {name: value for name, value in asdict(expected).items()}
    return {"estimate": expected.total, "measured": measured, "parts": parts, "accelerate_weights": weights}


def known_bases() -> dict:
    from lab.bases.cards import bases

    return bases()


def make_base(name: str, folder: Path) -> None:
    """A card and a config; the weights are drawn when the model is built."""
    from transformers import Qwen2Config

    from lab.bases.cards import BaseCard, bases

    Qwen2Config(**QWEN_05B).save_pretrained(folder)
    bases().add(name, BaseCard(
        name=name, title=name, family="qwen2", path=str(folder), license="none", parameters=494_032_768,
        context_tokens=32768,
    ))


def measure(spec, folder: Path) -> tuple[int, int]:
    """(peak MiB of three steps, MiB of the weights by accelerate)."""
    import torch
    from accelerate.utils import calculate_maximum_sizes
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    from lab.bases.cards import bases
    from lab.training import _trl
    from lab.training._lm_head import learned_positions_alone
    from lab.training._start import Begun, attached
    from lab.training.rows import Row, Rows

    config = AutoConfig.from_pretrained(bases()[spec.base].location())
    with torch.device("meta"):
        total, _ = calculate_maximum_sizes(AutoModelForCausalLM.from_config(config))
    model = AutoModelForCausalLM.from_config(config)
    half = spec.max_length // 2
    rows = Rows([Row(str(i), [5 + i] * half, [7 + i] * half) for i in range(3 * spec.batch_size)], 0)
    tokenizer = AutoTokenizer.from_pretrained(bases()["demo-qwen2"].location())
    begun = Begun(bases()[spec.base], tokenizer, "tags")
    loaded = _trl.Loaded(begun, attached(model, begun, spec))
    spec = spec.model_copy(update={"max_steps": 3})
    trainer = _trl.build_trainer(_trl.Setting(spec, spec.micro_batch_size, folder), loaded, rows, [])
    Path("/proc/self/clear_refs").write_text("5")  # the peak of building the model does not count
    with learned_positions_alone():
        trainer.train()
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) // 1024, total // 2**20


if __name__ == "__main__":
    if "--case" in sys.argv:
        print(json.dumps(case(*json.loads(sys.argv[-1]))))
    else:
        main()
