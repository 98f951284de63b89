"""Variants of the tiny base, taught by a plain loop: a start for preferences and rewards.

With all weights trained it half knows the sums. An adapter on random weights learns next to nothing: it is a start that
is not the base, and no more.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from lab.core.types import ModelSource
from lab.engine.contract import write_contract
from tests.training.tiny import card, sums

N_STEPS = {"lora": 40, "full": 220}


def rows(tokenizer) -> list[tuple[list[int], int]]:
    """(ids, prompt's length) of each sum."""
    found = []
    for row in sums(96):
        chat = [{"role": "user", "content": row.question}]
        prompt = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        said = f"<think>\n{row.trace}\n</think>\n{row.answer}{tokenizer.eos_token}"
        ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in (prompt, said)]
        found.append((ids[0] + ids[1], len(ids[0])))
    return found


def teach(base: Path, folder: Path, method: str) -> ModelSource:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base)
    if method == "lora":
        model = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules="all-linear",
                                                 task_type="CAUSAL_LM"))
    weights = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=1e-2 if method == "lora" else 3e-3)
    data, draw = rows(tokenizer), random.Random(0)
    for _ in range(N_STEPS[method]):
        batch = draw.sample(data, 16)
        width = max(len(ids) for ids, _ in batch)
        ids = torch.tensor([ids + [tokenizer.pad_token_id] * (width - len(ids)) for ids, _ in batch])
        labels = torch.tensor([[-100] * start + ids[start:] + [-100] * (width - len(ids)) for ids, start in batch])
        optimiser.zero_grad()
        model(input_ids=ids, labels=labels, use_cache=False).loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    write_contract(folder, tokenizer, "tags", card(base))
    kind = "adapter" if method == "lora" else "full"
    return ModelSource(
        ref="variant:start", label="start", base="tiny", folder=str(folder), kind=kind, arm="trace",
        thinking_style="tags",
    )


@pytest.fixture(scope="session")
def taught(tiny_folder, tmp_path_factory):
    """Function: method → the source of the variant."""
    made: dict[str, ModelSource] = {}

    def variant(method: str) -> ModelSource:
        if method not in made:
            made[method] = teach(tiny_folder, tmp_path_factory.mktemp(f"start-{method}"), method)
        return made[method]

    return variant
