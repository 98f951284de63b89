"""Direct preference optimisation on TRL's DPOTrainer.

Pairs arrive as tokens, so the trainer neither renders nor cuts anything: what `preference_rows.py` made is what is
learned. The reference is the start as it was, so every margin is 0 before the first step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset as Table
from transformers import set_seed
from trl import DPOConfig, DPOTrainer

from lab.core.context import Context
from lab.core.types import Pair
from lab.data.dataset import fingerprint
from lab.data.pairs import LoadedPairs, resolve_pairs
from lab.training._callbacks import Live, named
from lab.training._checkpointing import run
from lab.training._faults import machine_limits
from lab.training._sharding import check_sharding, prepare_sharding
from lab.training._start import Begun, begin
from lab.training._weights import count_parameters
from lab.training._with_reference import base_inputs, counts, leave, load_start, settle, shared_arguments
from lab.training.micro_batches import with_smaller_batches
from lab.training.preference_rows import PairRows, build_pair_rows
from lab.training.preference_specs import DpoSpec
from lab.training.probes import Probe, pair_probes
from lab.training.ranks import check_world
from lab.training.rows import chosen
from lab.training.saves import Saves

FIGURES = {  # TRL's name -> ours. A reward is beta x the log ratio to the start, a margin the chosen one's lead.
    "loss": "loss", "rewards/margins": "margin", "rewards/accuracies": "accuracy",
    "rewards/chosen": "chosen_reward", "rewards/rejected": "rejected_reward",
    "logps/chosen": "chosen_logp", "logps/rejected": "rejected_logp",
}
TENTH = 10  # figures of the end are means over a tenth of the points: one batch alone says little


class Tokenised(DPOTrainer):
    """A DPOTrainer that is given tokens. TRL's own preparation would render and tokenise texts."""

    def _prepare_dataset(self, dataset: Table, *_: Any, **__: Any) -> Table:
        return dataset


class PreferenceLive(Live):
    """The curve of DPO."""

    def means(self, logs: Mapping[str, float]) -> dict[str, float]:
        return named(logs, FIGURES)

    def _text(self, state: Any) -> str:
        if not self.lines:
            return f"step {state.global_step} of {state.max_steps}"
        last = self.lines[-1]
        return f"loss {last['loss']:.3f}, margin {last['margin']:.2f}, {self.tokens_per_s:,.0f} tokens/s"


def train_dpo(spec: DpoSpec, context: Context) -> dict[str, Any]:
    """Train one variant into `context.folder`; returns the figures of the run."""
    with machine_limits(context.folder):
        return with_smaller_batches(spec, context, lambda micro: _train(spec, context, micro))


def _train(spec: DpoSpec, context: Context, micro: int) -> dict[str, Any]:
    check_world(spec.gpus)
    context.progress(0, 0, "reading the pairs")
    begun = begin(spec, context)
    loaded = read_pairs(spec, context)
    pairs = chosen(loaded.rows, spec.max_rows)
    rows = build_pair_rows(spec, pairs, begun.tokenizer, begun.style)
    context.log(f"{len(rows.kept)} pairs, {rows.n_tokens} tokens a pass, {rows.n_too_long} dropped as longer than "
                f"{spec.max_length} tokens, {rows.n_same} as two equal replies")
    context.progress(0, 0, "loading the start")
    live = PreferenceLive(context)
    trainer = build_trainer(spec, begun, rows, micro, context.checkpoints.folder)
    trainer.add_callback(live)
    n_trainable, n_parameters = count_parameters(trainer.model)
    context.log(f"training {n_trainable:,} of {n_parameters:,} parameters for {trainer.args.max_steps} steps")
    origin = {"spec": spec.sha(), "pairs": fingerprint(pairs)}
    run(trainer, Saves(context, origin, spec.checkpoint_every_s, {"live": live}))
    return {
        **counts(trainer, live), **_figures(rows, loaded, live),
        "n_trainable": n_trainable, "n_parameters": n_parameters,
        "inputs": {"pairs": spec.pairs, "pairs_sha256": fingerprint(pairs), "pairs_rows": len(pairs),
                   **base_inputs(begun, trainer)},
        **leave(trainer, begun, spec, context, _probes(spec, begun, pairs, rows)),
    }


def read_pairs(spec: DpoSpec, context: Context) -> LoadedPairs:
    """The pairs a spec names; a job's are the file that it left."""
    path = str(context.file(spec.pairs)) if spec.pairs.startswith("job:") else spec.pairs
    loaded = resolve_pairs(path).read()
    for reason, n in loaded.skipped.items():
        context.log(f"{n} rows are no pair: {reason}")
    for note in loaded.notes:
        context.log(note)
    return loaded


def build_trainer(spec: DpoSpec, begun: Begun, rows: PairRows, micro: int, folder: Path) -> DPOTrainer:
    """A trainer that is ready to run. The seed is set before LoRA draws its first weights."""
    set_seed(spec.seed)
    model = load_start(begun, spec)
    arguments = DPOConfig(
        **shared_arguments(spec, micro, folder, spec.n_steps(len(rows.kept))),
        beta=spec.beta, loss_type=[spec.loss_type], label_smoothing=spec.label_smoothing,
        precompute_ref_log_probs=spec.precompute_ref, max_length=None,  # preference_rows.py dropped what is too long
    )
    prepare_sharding()
    trainer = Tokenised(model, args=arguments, train_dataset=as_table(rows), processing_class=begun.tokenizer)
    check_sharding(trainer, spec.sharding)
    settle(trainer, begun)
    return trainer


def as_table(rows: PairRows) -> Table:
    return Table.from_dict({
        "prompt_ids": [row.prompt_ids for row in rows.kept],
        "chosen_ids": [row.chosen_ids for row in rows.kept],
        "rejected_ids": [row.rejected_ids for row in rows.kept],
    })


def _figures(rows: PairRows, loaded: LoadedPairs, live: Live) -> dict[str, Any]:
    last = live.lines[-max(1, len(live.lines) // TENTH):]
    ends = {f"{name}_last": sum(line[name] for line in last) / len(last) for name in ("margin", "accuracy")}
    return {
        "n_rows": len(rows.kept), "n_dropped": rows.n_dropped, "n_too_long": rows.n_too_long, "n_same": rows.n_same,
        "n_unreadable": loaded.n_skipped, "n_tokens": rows.n_tokens, "final_loss": live.final_loss(), **ends,
    }


def _probes(spec: DpoSpec, begun: Begun, pairs: Sequence[Pair], rows: PairRows) -> list[Probe]:
    kept = {row.id for row in rows.kept}
    return pair_probes([pair for pair in pairs if pair.id in kept], begun.style, spec.health_probes)
