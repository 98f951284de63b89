"""The ways of `sft_speed.py` that are processes of their own: `python -m tests.perf.sft_ways WAY FOLDER`.

    record     write the rows' order, the rows themselves and LLaMA-Factory's files; not timed
    raw, trl   train and print figures as JSON
    inside     raw and the lab's trainer in turn in one process, where a load on the machine meets both alike:
               `python -m tests.perf.sft_ways inside FOLDER [TURNS] [STEPS]`; a FOLDER of its own making
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch

from lab.core.context import MemoryContext
from lab.core.spec import load_spec
from lab.data.resolving import resolve_dataset
from lab.training import _trl
from lab.training._callbacks import Live
from lab.training._lm_head import learned_positions_alone
from lab.training._start import Begun, begin, load_policy
from lab.training._trainer import SftTrainer
from lab.training.rows import Row, Rows, build_rows, render
from lab.training.specs import SftSpec
from tests.perf.sft_speed import SETTINGS


class Ready:
    """A job before its first step."""

    def __init__(self, settings: dict[str, Any], folder: Path):
        self.spec = load_spec(SftSpec, settings)
        self.context = MemoryContext(folder / "work")
        self.context.folder.mkdir(parents=True, exist_ok=True)
        self.begun: Begun = begin(self.spec, self.context)
        self.examples = resolve_dataset(self.spec.dataset).load()
        self.rows: Rows = build_rows(self.spec, self.examples, self.begun.tokenizer, self.begun.style)

    def trainer(self, *callbacks: Any) -> SftTrainer:
        setting = _trl.Setting(self.spec, self.spec.micro_batch_size, self.context.checkpoints.folder)
        loaded = _trl.Loaded(self.begun, load_policy(self.begun, self.spec))
        return _trl.build_trainer(setting, loaded, self.rows, list(callbacks))

    def order(self) -> list[list[str]]:
        """Ids of the rows of every step, as the lab's trainer draws them. Nothing is trained."""
        trainer, drawn = self.trainer(), []
        collate = trainer.data_collator
        trainer.data_collator = lambda rows: (drawn.append([row.id for row in rows]), collate(rows))[1]
        trainer.training_step = lambda *_: torch.zeros(())
        trainer.log = lambda *_: None
        trainer.train()
        return drawn[: trainer.args.max_steps]


def record(folder: Path) -> dict[str, Any]:
    ready = Ready(json.loads((folder / "settings.json").read_text()), folder)
    (folder / "order.json").write_text(json.dumps(ready.order()))
    spec, kept = ready.spec, {row.id for row in ready.rows.kept}
    examples = [row for row in ready.examples[: spec.max_rows] if row.id in kept]
    prompts, completions = render(examples, ready.begun.tokenizer, spec.target, ready.begun.style)
    rows = [{"prompt": prompt, "completion": said} for prompt, said in zip(prompts, completions, strict=True)]
    (folder / "rows.json").write_text(json.dumps(rows))
    _factory_files(folder / "factory", ready, rows)
    return {"n_steps": ready.trainer().args.max_steps}


def _factory_files(folder: Path, ready: Ready, rows: list[dict[str, str]]) -> None:
    """LLaMA-Factory has no template that writes a given text as it is but `empty`, which adds its own end of turn."""
    folder.mkdir(exist_ok=True)
    spec, eos = ready.spec, str(ready.begun.tokenizer.eos_token)
    alpaca = [{"instruction": row["prompt"], "input": "", "output": row["completion"].removesuffix(eos)}
              for row in rows]
    (folder / "rows.json").write_text(json.dumps(alpaca))
    (folder / "dataset_info.json").write_text(json.dumps({"rows": {"file_name": "rows.json"}}))
    length = {"max_steps": spec.max_steps} if spec.max_steps else {"num_train_epochs": spec.epochs}
    (folder / "run.yaml").write_text(json.dumps({  # JSON is YAML
        "model_name_or_path": ready.begun.card.location(), "stage": "sft", "do_train": True, "finetuning_type": "lora",
        "lora_rank": spec.lora_r, "lora_alpha": spec.lora_alpha, "lora_target": "all", "dataset": "rows",
        "dataset_dir": str(folder), "template": "empty", "cutoff_len": spec.max_length,
        "output_dir": str(folder / "out"), "gradient_checkpointing": False, "disable_gradient_checkpointing": True,
        "per_device_train_batch_size": spec.batch_size, "gradient_accumulation_steps": 1, "overwrite_cache": True,
        "learning_rate": spec.learning_rate, "lr_scheduler_type": "cosine", "warmup_ratio": spec.warmup_frac,
        "logging_steps": 1, "save_strategy": "no", "report_to": "none", "use_cpu": True, "disable_tqdm": True,
        "preprocessing_num_workers": 1, **length,
    }))


def raw(ready: Ready, order: list[list[str]]) -> dict[str, Any]:
    """A plain loop: padded batches with a mask, cross-entropy over all logits, AdamW, cosine with warm-up, clipping."""
    from transformers import get_cosine_schedule_with_warmup

    spec, rows = ready.spec, {row.id: row for row in ready.rows.kept}
    model = load_policy(ready.begun, spec).train()
    weights = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=spec.learning_rate, weight_decay=spec.weight_decay, fused=True)
    schedule = get_cosine_schedule_with_warmup(optimiser, round(spec.warmup_frac * len(order)), len(order))
    losses, started, worked = [], time.monotonic(), time.process_time()
    for ids in order:
        batch, labels = _padded([rows[each] for each in ids], ready.begun.tokenizer.pad_token_id)
        logits = model(**batch).logits  # (B, T, V)
        loss = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, spec.max_grad_norm)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        losses.append(loss.item())
    train_s, cpu_s = time.monotonic() - started, time.process_time() - worked
    model.save_pretrained(ready.context.folder / "raw")
    return {"train_s": train_s, "cpu_s": cpu_s, "losses": losses, "mean_loss": statistics.fmean(losses)}


def _padded(rows: list[Row], pad: int) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """(model inputs, labels), each (B, T)."""
    ids = [torch.tensor(row.prompt_ids + row.completion_ids) for row in rows]
    labels = [torch.tensor([-100] * len(row.prompt_ids) + row.completion_ids) for row in rows]
    pad_to = torch.nn.utils.rnn.pad_sequence
    batch = {"input_ids": pad_to(ids, True, pad), "attention_mask": pad_to([torch.ones_like(x) for x in ids], True)}
    return batch, pad_to(labels, True, -100)


def lab(ready: Ready) -> dict[str, Any]:
    """The lab's trainer without a worker, for `inside`."""
    live = Live(ready.context)
    trainer = ready.trainer(live)
    worked = time.process_time()
    with learned_positions_alone():
        trainer.train()
    return {"train_s": live.seconds, "cpu_s": time.process_time() - worked, "losses": live.losses}


def trl(folder: Path) -> dict[str, Any]:
    """What a careful person writes with TRL, without the lab: text in, adapter out."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    settings = {**SETTINGS, **json.loads((folder / "settings.json").read_text())}
    base = load_spec(SftSpec, settings).base
    from lab.bases.cards import bases

    location = bases()[base].location()
    length = {"max_steps": settings["max_steps"]} if settings.get("max_steps") else {
        "num_train_epochs": settings["epochs"]}
    trainer = SFTTrainer(
        model=location, processing_class=AutoTokenizer.from_pretrained(location),
        train_dataset=Dataset.from_list(json.loads((folder / "rows.json").read_text())),
        peft_config=LoraConfig(r=settings["lora_r"], lora_alpha=settings["lora_alpha"], target_modules="all-linear",
                               task_type="CAUSAL_LM"),
        args=SFTConfig(
            output_dir=str(folder / "trl"), per_device_train_batch_size=settings["batch_size"],
            learning_rate=settings["learning_rate"], lr_scheduler_type="cosine", warmup_steps=settings["warmup_frac"],
            logging_steps=1, save_strategy="no", report_to="none", use_cpu=True, bf16=False, max_length=256,
            activation_checkpointing=False, disable_tqdm=True, seed=settings["seed"], **length,
        ),
    )
    started, worked = time.monotonic(), time.process_time()
    trainer.train()
    train_s, cpu_s = time.monotonic() - started, time.process_time() - worked
    trainer.save_model(str(folder / "trl"))
    losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    return {"train_s": train_s, "cpu_s": cpu_s, "losses": losses, "mean_loss": statistics.fmean(losses)}


def inside(folder: Path, turns: int, steps: int) -> dict[str, Any]:
    """Ratios of processor seconds, lab to raw, turn by turn."""
    ready = Ready({**SETTINGS, "max_steps": steps}, folder)
    order, ratios, apart = ready.order(), [], 0.0
    for _ in range(turns):
        ours, plain = lab(ready), raw(ready, order)
        ratios.append(ours["cpu_s"] / plain["cpu_s"])
        apart = max(apart, *(abs(a - b) for a, b in zip(ours["losses"], plain["losses"], strict=True)))
        print(f"lab {ours['cpu_s']:.2f} s, raw {plain['cpu_s']:.2f} s of the processor: {ratios[-1]:.3f}", flush=True)
    return {"median_ratio": statistics.median(ratios), "largest_difference": apart}


def main(way: str, folder: Path, *rest: str) -> None:
    if way == "raw":
        ready = Ready(json.loads((folder / "settings.json").read_text()), folder)
        found = raw(ready, json.loads((folder / "order.json").read_text()))
    elif way == "inside":
        found = inside(folder, *(int(value) for value in (*rest, "3", "40")[:2]))
    else:
        found = {"record": record, "trl": trl}[way](folder)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
