"""Supervised fine-tuning on TRL's SFTTrainer. The only file of this room whose job is torch.

Rows arrive tokenised with their labels, so the trainer neither renders, cuts nor masks anything: what `rows.py` made is
what is learned. A run logs about LOGS points; nothing is saved before the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset as Table
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback, TrainerCallback, set_seed
from transformers.utils import logging as transformers_logging
from trl import SFTConfig, SFTTrainer

from lab.bases.cards import BaseCard, bases
from lab.core.context import Context, Stopped
from lab.data.jsonl import resolve_dataset
from lab.training._callbacks import Live
from lab.training._faults import machine_limits
from lab.training._inputs import inputs
from lab.training._lm_head import learned_positions_alone
from lab.training.counting import missing_files
from lab.training.rows import Rows, build_rows, chosen
from lab.training.specs import SftSpec

IGNORED = -100  # label of a token that is read but not learned
LOGS = 200  # points of a loss curve
SCHEDULERS = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}


@dataclass(frozen=True)
class Loaded:
    """What a run starts from."""

    card: BaseCard
    tokenizer: Any
    model: Any


def train_sft(spec: SftSpec, context: Context) -> dict[str, Any]:
    """Train one variant into `context.folder`; `_figures` is what it returns, with the fingerprints of its inputs."""
    with machine_limits(context.folder):
        return _train(spec, context)


def _train(spec: SftSpec, context: Context) -> dict[str, Any]:
    transformers_logging.disable_progress_bar()  # a bar of one shard says nothing in a log
    card = bases()[spec.base]
    context.progress(0, 0, "reading the dataset")
    examples = resolve_dataset(spec.dataset).load()
    tokenizer = load_tokenizer(card)
    rows = build_rows(spec, examples, tokenizer, card.thinking_style)
    context.log(f"{len(rows.kept)} rows, {rows.n_tokens} tokens a pass, {rows.n_dropped} dropped as longer than "
                f"{spec.max_length} tokens")
    context.progress(0, 0, "loading the base")
    live = Live(context)
    model = load_model(card, spec)
    commit = getattr(model.config, "_commit_hash", None)  # only what came from the hub has one
    trainer = build_trainer(spec, Loaded(card, tokenizer, model), rows, context.folder, [live])
    n_trainable, n_parameters = count_parameters(trainer.model)
    context.log(f"training {n_trainable:,} of {n_parameters:,} parameters for {trainer.args.max_steps} steps")
    with learned_positions_alone():
        trainer.train()
    if live.stopped_at is not None:
        raise Stopped(f"stopped after step {live.stopped_at} of {trainer.args.max_steps}")
    save_variant(trainer.model, tokenizer, card, context.folder)
    context.save("spec.json", spec.as_dict())
    figures = _figures(spec, rows, live, trainer)
    read = inputs(spec, chosen(examples, spec.max_rows), card, commit)
    return {**figures, "n_trainable": n_trainable, "n_parameters": n_parameters, "inputs": read}


def _figures(spec: SftSpec, rows: Rows, live: Live, trainer: SFTTrainer) -> dict[str, Any]:
    return {
        "weights": "adapter" if spec.method == "lora" else "full",
        "n_rows": len(rows.kept),
        "n_dropped": rows.n_dropped,
        "n_tokens": rows.n_tokens,  # of one pass
        "n_tokens_seen": live.n_tokens_seen,  # of all passes
        "n_steps": trainer.state.global_step,
        "final_loss": live.final_loss(),
        "seconds": round(live.seconds, 2),  # of training alone
        "tokens_per_s": round(live.tokens_per_s, 1),
    }


def revision(card: BaseCard) -> str:
    """What the hub is asked for; a folder has no revision and ignores it."""
    return card.revision or "main"


def load_tokenizer(card: BaseCard) -> Any:
    try:
        return AutoTokenizer.from_pretrained(card.location(), revision=revision(card))
    except OSError as error:
        raise missing_files(card) from error


def load_model(card: BaseCard, spec: SftSpec) -> Any:
    """The base's weights. On a GPU a frozen base is read in bfloat16; weights that are trained stay in float32."""
    half = torch.cuda.is_available() and spec.method == "lora"
    dtype = torch.bfloat16 if half else torch.float32
    try:
        return AutoModelForCausalLM.from_pretrained(card.location(), revision=revision(card), dtype=dtype)
    except OSError as error:
        raise missing_files(card) from error


def build_trainer(
    spec: SftSpec, loaded: Loaded, rows: Rows, folder: Path, callbacks: list[TrainerCallback]
) -> SFTTrainer:
    """A trainer that is ready to run. The seed is set here, before LoRA draws its first weights."""
    set_seed(spec.seed)
    trainer = SFTTrainer(
        model=loaded.model,
        args=trainer_arguments(spec, len(rows.kept), folder),
        train_dataset=labelled(rows),
        processing_class=loaded.tokenizer,
        peft_config=lora_config(spec, loaded.card) if spec.method == "lora" else None,
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)  # the curve is in metrics.jsonl; the log is for words
    return trainer


def labelled(rows: Rows) -> Table:
    """Token ids and labels; the prompt's labels are ignored by the loss."""
    return Table.from_dict({
        "input_ids": [row.prompt_ids + row.completion_ids for row in rows.kept],
        "labels": [[IGNORED] * len(row.prompt_ids) + row.completion_ids for row in rows.kept],
    })


def trainer_arguments(spec: SftSpec, n_rows: int, folder: Path) -> SFTConfig:
    n_steps = spec.n_steps(n_rows)
    on_gpu = torch.cuda.is_available()
    return SFTConfig(
        output_dir=str(folder),
        max_steps=n_steps,
        per_device_train_batch_size=spec.micro_batch_size,
        gradient_accumulation_steps=spec.batch_size // spec.micro_batch_size,
        learning_rate=spec.learning_rate,
        lr_scheduler_type=SCHEDULERS[spec.scheduler],
        warmup_steps=round(spec.warmup_frac * n_steps),
        weight_decay=spec.weight_decay,
        seed=spec.seed,
        use_cpu=not on_gpu,
        bf16=on_gpu,
        activation_checkpointing=False,
        max_length=None,  # rows.py dropped what is too long; the trainer must not cut
        dataset_kwargs={"skip_prepare_dataset": True},
        dataloader_pin_memory=on_gpu,
        logging_steps=max(1, n_steps // LOGS),
        logging_first_step=True,
        logging_nan_inf_filter=False,  # a loss that is not a number ends the run, it is not averaged away
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


def lora_config(spec: SftSpec, card: BaseCard) -> LoraConfig:
    targets = card.lora_targets if isinstance(card.lora_targets, str) else list(card.lora_targets)
    return LoraConfig(
        r=spec.lora_r, lora_alpha=spec.lora_alpha, lora_dropout=spec.lora_dropout, target_modules=targets,
        task_type="CAUSAL_LM",
    )


def count_parameters(model: Any) -> tuple[int, int]:
    """(trainable, of the base). An adapter's own weights count as trainable only."""
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    adapter = trainable if hasattr(model, "peft_config") else 0
    return trainable, sum(p.numel() for p in model.parameters()) - adapter


def save_variant(model: Any, tokenizer: Any, card: BaseCard, folder: Path) -> None:
    """Adapter or full weights, and the tokenizer, as plain transformers + peft read them:

    PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(card.location()), folder)

    The adapter names its base by hub id or by the card's name, never by a path of the machine it was trained on.
    """
    if hasattr(model, "peft_config"):
        for config in model.peft_config.values():
            config.base_model_name_or_path = card.hub_id or card.name
            config.revision = card.revision
        # Looking up whether embeddings were resized would ask the hub for that name; they never are.
        model.save_pretrained(folder, save_embedding_layers=False)
    else:
        model.config.use_cache = True  # the trainer turned it off; whoever loads the folder generates
        model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)  # peft's template of a card, all blanks
