"""The engine tests' tiny base and adapters, with the contract and the tokenizer that training leaves beside weights."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.bases.cards import BaseCard
from lab.bases.tokenizers import open_tokenizer
from lab.core.types import ModelSource
from lab.engine.contract import write_contract
from lab.export.order import Data, Facts, Order, Stage, Wanted
from tests.engine.conftest import tiny, tiny_registered

__all__ = ["tiny", "tiny_registered"]
SPEC = {"base": "tiny", "dataset": "sums", "method": "lora", "lora_r": 16, "epochs": 3, "seed": 0}


@dataclass(frozen=True)
class Trained:
    """What a training job would have left."""

    card: BaseCard
    source: ModelSource

    def order(self, folder: Path, **wanted: object) -> Order:
        stage = Stage("m.trace", "sft", "trace", (Data("sums", "mit", "generated"),), 90, 6, SPEC)
        facts = Facts(name="m.trace", base=self.card, weights=self.source.kind, style="tags",
                      template_sha=self.source.template_sha, stages=(stage,), job="abc123")
        return Order(self.source, facts, Wanted(folder, **wanted))


@pytest.fixture
def trained(tiny_registered, tmp_path: Path) -> Trained:
    """A thinking adapter on the tiny base, in a folder of its own."""
    card, sources = tiny_registered
    folder = tmp_path / "trained"
    shutil.copytree(sources["m.trace"].folder, folder)
    tokenizer = open_tokenizer(card)
    tokenizer.save_pretrained(folder)
    made = write_contract(folder, tokenizer, "tags", card)
    (folder / "spec.json").write_text(f'{{"dataset": "{tmp_path}/mine.jsonl"}}')
    (folder / "metrics.jsonl").write_text("{}\n")
    source = sources["m.trace"].model_copy(update={
        "folder": str(folder), "thinking_style": "tags", "template_sha": made["template_sha256"],
    })
    return Trained(card, source)
