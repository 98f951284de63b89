"""vLLM as an engine of the lab: the command that serves a base with its adapters, and what vLLM can take.

The flags are those `vllm serve` documents. Rendered and tested here; untried with vLLM itself, which needs a GPU and an
environment of its own. Nothing is started here: `lab.engine._vllm` runs it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lab.bases.cards import BaseCard
from lab.core.errors import LabError
from lab.core.types import ModelSource

RANKS = (8, 16, 32, 64, 128, 256, 320, 512)  # what --max-lora-rank takes
USUAL_RANK = 64  # room for adapters that come later; a larger one needs memory in every layer
MOST_LORAS = 8  # adapters that can be in one batch
MOST_CPU_LORAS = 64  # adapters that wait in memory
DTYPES = {"auto": "auto", "bf16": "bfloat16", "fp32": "float32", "4bit": "bfloat16"}
ENVIRONMENT = {"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}


@dataclass(frozen=True)
class Serving:
    """What one vLLM process serves: a base on a loopback port, and the adapters it begins with."""

    card: BaseCard
    port: int
    precision: Literal["auto", "bf16", "fp32", "4bit"] = "auto"
    max_rows: int = 32
    adapters: tuple[ModelSource, ...] = ()
    seed: int = 0

    @property
    def max_lora_rank(self) -> int:
        """The least that vLLM takes and every adapter fits in. LabError when one has more than vLLM can."""
        most = max([USUAL_RANK, *(adapter_rank(source) for source in self.adapters)])
        if most > RANKS[-1]:
            raise LabError(f"an adapter has rank {most}, and vLLM takes {RANKS[-1]} at most: serve it with backend lab")
        return next(rank for rank in RANKS if rank >= most)


def command(serving: Serving) -> list[str]:
    """The arguments of `vllm serve`, without a shell.

    No --reasoning-parser and no --chat-template: the lab sends token ids of its own template and splits the thought by
    its own rule, so that a variant is asked as it was trained. --generation-config vllm: a base's own file would change
    how its answers are drawn without a word.
    """
    card = serving.card
    words = ["vllm", "serve", card.location(), "--host", "127.0.0.1", "--port", str(serving.port)]
    words += ["--served-model-name", card.name, "--dtype", DTYPES[serving.precision]]
    words += ["--max-model-len", str(card.context_tokens), "--max-num-seqs", str(serving.max_rows)]
    words += ["--seed", str(serving.seed), "--generation-config", "vllm"]
    if card.hub_id and card.revision:
        words += ["--revision", card.revision]
    if serving.precision == "4bit":
        words += ["--quantization", "bitsandbytes"]
    words += ["--enable-lora", "--max-loras", str(MOST_LORAS), "--max-cpu-loras", str(MOST_CPU_LORAS)]
    words += ["--max-lora-rank", str(serving.max_lora_rank)]
    if serving.adapters:
        words += ["--lora-modules", *(f"{source.label}={source.folder}" for source in serving.adapters)]
    return words


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """That of the child: adapters may come and go, nothing is reported home. HF_HUB_OFFLINE and others stay as set."""
    return dict(env) | ENVIRONMENT


def executable(env: Mapping[str, str]) -> str:
    """Where `vllm` is. LabError that says how to get it."""
    found = shutil.which("vllm", path=env.get("PATH"))
    if found is None:
        raise LabError(
            "vLLM is not installed: there is no 'vllm' on PATH. It pins a torch of its own, so install it in another "
            "environment (python -m venv vllm && vllm/bin/pip install vllm) and put that one's bin folder on PATH; or "
            "set backend: lab", "dependency",
        )
    return found


def adapter_rank(source: ModelSource) -> int:
    """The largest rank in an adapter's files. LabError for an adapter that vLLM would load wrongly or not at all."""
    settings = _settings(source)
    faults = [what for key, what in (("use_dora", "uses DoRA"), ("modules_to_save", "carries whole layers"),
                                     ("trainable_token_indices", "trains single tokens")) if settings.get(key)]
    if settings.get("bias", "none") != "none":
        faults.append("trains biases")
    if faults:
        raise LabError(f"adapter '{source.label}' {' and '.join(faults)}, which vLLM does not serve: use backend lab, "
                       "or export it as merged weights (python -m jobs export --merged)")
    return max([int(settings.get("r", 0)), *map(int, (settings.get("rank_pattern") or {}).values())])


def _settings(source: ModelSource) -> dict[str, Any]:
    file = Path(source.folder or "") / "adapter_config.json"
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise LabError(f"model '{source.label}': {file} cannot be read, so there is no adapter to serve") from None
