"""Checkpoints and resume plug into TRL's other trainers as they stand."""

from __future__ import annotations

import pytest
import torch
from datasets import Dataset as Table
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed
from trl import DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer

from lab.core.context import Stopped
from lab.training._callbacks import Live
from lab.training._checkpointing import run
from lab.training.saves import Saves
from tests.training.attempts import attempt
from tests.training.tiny import sums

N_STEPS = 5
PAIRS = Table.from_list([
    {"prompt": row.question, "chosen": f" {row.answer}", "rejected": " Answer: 7"} for row in sums(12)
])


def settings(folder) -> dict:
    return dict(
        output_dir=str(folder), max_steps=N_STEPS, per_device_train_batch_size=4, gradient_accumulation_steps=1,
        learning_rate=1e-2, use_cpu=True, bf16=False, activation_checkpointing=False, logging_steps=1,
        save_strategy="no", report_to="none", disable_tqdm=True,
    )


def dpo(model, tokenizer, lora, folder):
    return DPOTrainer(model, args=DPOConfig(**settings(folder)), train_dataset=PAIRS, processing_class=tokenizer,
                      peft_config=lora)


def grpo(model, tokenizer, lora, folder):
    def short(completion_ids, **_) -> list[float]:
        return [-float(len(set(ids))) for ids in completion_ids]

    args = GRPOConfig(**settings(folder), num_generations=2, max_completion_length=6)
    return GRPOTrainer(model, short, args=args, train_dataset=PAIRS.select_columns(["prompt"]),
                       processing_class=tokenizer, peft_config=lora)


def train(build, tiny, context) -> tuple[dict[str, torch.Tensor], Live]:
    set_seed(3)
    model = AutoModelForCausalLM.from_pretrained(tiny.location())
    lora = LoraConfig(r=4, lora_dropout=0.1, target_modules="all-linear", task_type="CAUSAL_LM")
    trainer = build(model, AutoTokenizer.from_pretrained(tiny.location()), lora, context.checkpoints.folder)
    live = Live(context)
    trainer.add_callback(live)
    run(trainer, Saves(context, {"spec": "x"}, every_s=0, keep={"live": live}))
    return {name: p.detach().clone() for name, p in trainer.model.named_parameters() if p.requires_grad}, live


@pytest.mark.parametrize("build", [dpo, grpo])
def test_a_trainer_that_was_stopped_ends_with_the_weights_of_one_that_was_not(tiny, tmp_path, build):
    expected, whole = train(build, tiny, attempt(tmp_path / "whole"))
    first = attempt(tmp_path / "cut", n_steps=2)
    with pytest.raises(Stopped, match="after step 2 of 5"):
        train(build, tiny, first)
    weights, live = train(build, tiny, attempt(tmp_path / "cut", first))
    assert weights and all(torch.equal(weights[name], expected[name]) for name in expected)
    assert live.losses == pytest.approx(whole.losses, rel=1e-6) and len(live.losses) == N_STEPS
