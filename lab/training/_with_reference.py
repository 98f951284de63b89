"""What DPO, GRPO and RLOO share around TRL's trainers: the arguments, the reference, and what is left at the end.

All three compare the model with what it was at the start. With an adapter TRL keeps a frozen copy of it called "ref",
or switches it off where it was new: then the base is the start. With all weights trained it reads the start once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, Trainer
from transformers.utils import logging as transformers_logging

from lab.bases.cards import bases
from lab.core.context import Context
from lab.engine._weights import SMALL_PARAMETERS
from lab.training._callbacks import Live
from lab.training._checkpointing import wait_for_all
from lab.training._inputs import weights_sha256
from lab.training._probing import examine
from lab.training._start import Begun, Settings, load_policy
from lab.training._weights import gathered, save_variant, without_base_name
from lab.training.probes import Probe
from lab.training.ranks import is_first

LOGS = 200  # points of a curve
REFERENCE = "ref"  # TRL's name of the frozen copy of an adapter
SCHEDULERS = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}


def load_start(begun: Begun, spec: Settings) -> Any:
    """The model to train, findable a second time: TRL reads the reference of full training by its name."""
    transformers_logging.disable_progress_bar()  # a bar of one shard says nothing in a log
    model = load_policy(begun, spec)
    if spec.method == "full":
        source = begun.source
        model.config._name_or_path = source.folder if source and source.folder else begun.card.location()
    if not torch.cuda.is_available() and sum(p.numel() for p in model.parameters()) < SMALL_PARAMETERS:
        torch.set_num_threads(1)  # a small model's products are too short to share
    return model


def shared_arguments(spec: Any, micro: int, folder: Path, n_steps: int, steps_per_point: int = 1) -> dict[str, Any]:
    """Arguments of any of the three trainers. A point of the curve covers a multiple of `steps_per_point` steps."""
    on_gpu = torch.cuda.is_available()
    return {
        "output_dir": str(folder),
        "max_steps": n_steps,
        "per_device_train_batch_size": micro,
        "gradient_accumulation_steps": spec.batch_size // (micro * spec.gpus),
        "learning_rate": spec.learning_rate,
        "lr_scheduler_type": SCHEDULERS[spec.scheduler],
        "warmup_steps": round(spec.warmup_frac * n_steps),
        "weight_decay": spec.weight_decay,
        "adam_beta2": spec.adam_beta2,
        "max_grad_norm": spec.max_grad_norm,
        "seed": spec.seed,
        "use_cpu": not on_gpu,
        "bf16": on_gpu,
        "disable_dropout": True,  # probabilities of two passes are compared
        "activation_checkpointing": spec.activation_checkpointing,
        "activation_checkpointing_kwargs": {"use_reentrant": False} if spec.activation_checkpointing else None,
        "dataloader_pin_memory": on_gpu,
        "logging_steps": steps_per_point * max(1, n_steps // steps_per_point // LOGS),
        "logging_first_step": True,
        "logging_nan_inf_filter": False,  # a loss that is not a number ends the run, it is not averaged away
        "ddp_find_unused_parameters": False,
        "save_strategy": "no",  # _checkpointing.py decides
        "report_to": "none",
        "disable_tqdm": True,
        "model_init_kwargs": _second_reading(spec),
    }


def _second_reading(spec: Any) -> dict[str, str] | None:
    """How the reference is read, where it is read a second time: at the hub's revision the base has."""
    card = bases()[spec.base]
    again = spec.method == "full" and not spec.start and card.hub_id
    return {"revision": card.revision} if again and card.revision else None


def settle(trainer: Trainer, begun: Begun) -> None:
    """Make a trainer ready: the right reference, no base to look up on the hub, words alone in the log.

    TRL copies every adapter it is given. The copy of a new one is nothing but the base, which costs less to ask for.
    """
    model = trainer.model
    if REFERENCE in getattr(model, "peft_config", {}) and (begun.source is None or begun.source.kind != "adapter"):
        model.delete_adapter(REFERENCE)
    without_base_name(model)
    trainer.remove_callback(PrinterCallback)  # the curve is in metrics.jsonl


def leave(trainer: Trainer, begun: Begun, spec: Any, context: Context, probes: Sequence[Probe]) -> dict[str, Any]:
    """Write the variant's files; what the result says of them, and how healthy the model is."""
    model, health = trainer.model, None
    if probes and trainer.is_fsdp_enabled:
        context.log("the model's health is not examined: its weights are shared out between processes")
    weights = gathered(trainer)
    if is_first():
        if probes and not trainer.is_fsdp_enabled:
            health = examine(model, begun.tokenizer, probes, begun.style, getattr(spec, "max_new_tokens", None))
        save_variant(model, begun, context.folder, weights)
        context.save("spec.json", spec.as_dict())
    wait_for_all()
    return {**begun.facts(spec), "health": health.as_dict() if health else None}


def base_inputs(begun: Begun, trainer: Trainer) -> dict[str, Any]:
    """Which weights the run began with, for the result's `inputs`."""
    card, source = begun.card, begun.source
    commit = getattr(trainer.model.config, "_commit_hash", None)  # only what came from the hub has one
    facts = {"base": card.name,
             "base_revision": weights_sha256(Path(card.location())) if card.path else (commit or card.revision)}
    if source is not None and source.folder:
        facts |= {"start": source.ref, "start_sha256": weights_sha256(Path(source.folder))}
    return facts


def counts(trainer: Trainer, live: Live) -> dict[str, Any]:
    """What every training job's result counts."""
    return {
        "micro_batch_size": trainer.args.per_device_train_batch_size,  # less than asked for if memory ran out
        "n_tokens_seen": live.n_tokens_seen,
        "n_steps": trainer.state.global_step,
        "seconds": round(live.seconds, 2),  # of training alone
        "tokens_per_s": round(live.tokens_per_s, 1),
    }
