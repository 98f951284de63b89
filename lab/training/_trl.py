"""Supervised fine-tuning on transformers' Trainer, with TRL's fused LM head (see _trainer.py).

Rows arrive tokenised with their labels, so the trainer neither renders, cuts nor masks anything: what `rows.py` made is
what is learned. A run logs about LOGS points, leaves checkpoints on its way, and goes on from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, TrainerCallback, TrainingArguments
from transformers.utils import logging as transformers_logging

from lab.core.context import Context
from lab.core.types import Example
from lab.data.dataset import fingerprint
from lab.data.resolving import resolve_dataset
from lab.data.transforms import as_taught
from lab.training._callbacks import Live
from lab.training._checkpointing import run, wait_for_all
from lab.training._faults import machine_limits
from lab.training._inputs import inputs
from lab.training._lm_head import learned_positions_alone
from lab.training._probing import examine
from lab.training._sharding import check_sharding, prepare_sharding
from lab.training._start import Begun, begin, load_policy
from lab.training._trainer import Collator, SftTrainer
from lab.training._weights import count_parameters, gathered, save_variant, without_base_name
from lab.training.micro_batches import with_smaller_batches
from lab.training.probes import taught_probes
from lab.training.ranks import check_world, is_first, world_size
from lab.training.rows import Rows, build_rows, chosen
from lab.training.saves import Saves
from lab.training.specs import SftSpec

LOGS = 200  # points of a loss curve
SCHEDULERS = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}


@dataclass(frozen=True)
class Loaded:
    """What a run starts from."""

    begun: Begun
    model: Any


@dataclass(frozen=True)
class Setting:
    """A spec with what this attempt makes of it."""

    spec: SftSpec
    micro_batch_size: int  # the spec's, or less after memory ran out
    checkpoints: Path


def train_sft(spec: SftSpec, context: Context) -> dict[str, Any]:
    """Train one variant into `context.folder`; `_figures` is what it returns, with the fingerprints of its inputs."""
    with machine_limits(context.folder):
        return with_smaller_batches(spec, context, lambda micro: _train(spec, context, micro))


def _train(spec: SftSpec, context: Context, micro: int) -> dict[str, Any]:
    check_world(spec.gpus)
    transformers_logging.disable_progress_bar()  # a bar of one shard says nothing in a log
    context.progress(0, 0, "reading the dataset")
    begun = begin(spec, context)
    examples = chosen(resolve_dataset(spec.dataset).load(), spec.max_rows)
    rows = build_rows(spec, examples, begun.tokenizer, begun.style)
    context.log(f"{len(rows.kept)} rows, {rows.n_tokens} tokens a pass, {rows.n_dropped} dropped as longer than "
                f"{spec.max_length} tokens")
    if rows.n_over:
        context.log(f"{rows.n_over} of them are longer than that as {spec.target}; they stay, because they fit with "
                    "their trace and every arm trains on the same rows")
    if n := n_repeated(len(rows.kept), micro * spec.gpus):
        context.log(f"each pass ends with {n} rows seen in it before, so that all {spec.gpus} processes have as many")
    context.progress(0, 0, "loading the base")
    live = Live(context)
    model = load_policy(begun, spec)
    commit = getattr(model.config, "_commit_hash", None)  # only what came from the hub has one
    setting = Setting(spec, micro, context.checkpoints.folder)
    trainer = build_trainer(setting, Loaded(begun, model), rows, [live])
    n_trainable, n_parameters = count_parameters(trainer.model)
    context.log(f"training {n_trainable:,} of {n_parameters:,} parameters for {trainer.args.max_steps} steps")
    origin = {"spec": spec.sha(), "dataset": fingerprint(examples)}
    saves = Saves(context, origin, spec.checkpoint_every_s, {"live": live})
    with learned_positions_alone():
        run(trainer, saves)
    _save(trainer, begun, spec, context)
    return {
        **begun.facts(spec), **_figures(rows, live, trainer), "n_trainable": n_trainable, "n_parameters": n_parameters,
        "inputs": inputs(spec, examples, begun, commit), "health": _health(trainer, begun, spec, examples, rows),
    }


def _save(trainer: SftTrainer, begun: Begun, spec: SftSpec, context: Context) -> None:
    """The variant's files. Ranks meet before, to gather the weights, and after, so that none leaves too early."""
    weights = gathered(trainer)
    if is_first():
        save_variant(trainer.model, begun, context.folder, weights)
        context.save("spec.json", spec.as_dict())
    wait_for_all()


def _health(trainer: SftTrainer, begun: Begun, spec: SftSpec, examples: Sequence[Example], rows: Rows
            ) -> dict[str, Any] | None:
    """How the trained model answers a few of its own rows; None where that is not asked, or not for this process."""
    if not spec.health_probes or not is_first() or trainer.is_fsdp_enabled:
        return None
    kept = {row.id for row in rows.kept}
    taught = [row for row in as_taught(examples, spec.target, spec.seed) if row.id in kept]
    probes = taught_probes(taught, spec.target, begun.style, spec.health_probes)
    return examine(trainer.model, begun.tokenizer, probes, begun.style).as_dict()


def _figures(rows: Rows, live: Live, trainer: SftTrainer) -> dict[str, Any]:
    return {
        "micro_batch_size": trainer.args.per_device_train_batch_size,  # less than asked for if memory ran out
        "n_rows": len(rows.kept),
        "n_dropped": rows.n_dropped,
        "n_tokens": rows.n_tokens,  # of one pass
        "n_tokens_seen": live.n_tokens_seen,  # of all passes
        "n_steps": trainer.state.global_step,
        "final_loss": live.final_loss(),
        "seconds": round(live.seconds, 2),  # of training alone
        "tokens_per_s": round(live.tokens_per_s, 1),
    }


def build_trainer(setting: Setting, loaded: Loaded, rows: Rows, callbacks: list[TrainerCallback]) -> SftTrainer:
    """A trainer that is ready to run."""
    spec, tokenizer = setting.spec, loaded.begun.tokenizer
    arguments = trainer_arguments(setting, spec.n_steps(len(rows.kept), rows.passes(spec.match)))
    prepare_sharding()
    trainer = SftTrainer(
        model=loaded.model,
        args=arguments,
        train_dataset=rows.kept,
        data_collator=collator(spec, tokenizer, loaded.model),
        processing_class=tokenizer,
        callbacks=callbacks,
    )
    check_sharding(trainer, spec.sharding)
    without_base_name(trainer.model)
    trainer.remove_callback(PrinterCallback)  # the curve is in metrics.jsonl; the log is for words
    return trainer


def collator(spec: SftSpec, tokenizer: Any, model: Any) -> Collator:
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    flash = "flash" in str(getattr(model.config, "_attn_implementation", ""))
    return Collator(pad, spec.max_length if spec.packing else 0, in_one=flash)


def n_repeated(n_rows: int, rows_at_once: int) -> int:
    """Rows that several processes see twice in a pass. One process alone has a smaller last batch instead."""
    return -n_rows % rows_at_once if world_size() > 1 else 0


def trainer_arguments(setting: Setting, n_steps: int) -> TrainingArguments:
    spec, micro = setting.spec, setting.micro_batch_size
    on_gpu = torch.cuda.is_available()
    return TrainingArguments(
        output_dir=str(setting.checkpoints),
        max_steps=n_steps,
        per_device_train_batch_size=micro,
        gradient_accumulation_steps=spec.batch_size // (micro * spec.gpus),
        learning_rate=spec.learning_rate,
        lr_scheduler_type=SCHEDULERS[spec.scheduler],
        warmup_steps=round(spec.warmup_frac * n_steps),
        weight_decay=spec.weight_decay,
        adam_beta2=spec.adam_beta2,
        max_grad_norm=spec.max_grad_norm,
        neftune_noise_alpha=spec.neftune_alpha or None,
        seed=spec.seed,
        use_cpu=not on_gpu,
        bf16=on_gpu,
        remove_unused_columns=False,  # rows are no table
        dataloader_pin_memory=on_gpu,
        logging_steps=max(1, n_steps // LOGS),
        logging_first_step=True,
        logging_nan_inf_filter=False,  # a loss that is not a number ends the run, it is not averaged away
        ddp_find_unused_parameters=False,  # every weight that is trained is used in every step
        save_strategy="no",  # _checkpointing.py decides
        report_to="none",
        disable_tqdm=True,
    )
