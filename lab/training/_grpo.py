"""GRPO and RLOO on TRL's trainers, with the rewards, the questions and the held-out check that PPO has.

The table of prompts holds the whole run in order, each question once a step, so a run that goes on after a stop asks
what it would have asked; TRL's own shuffling starts anew in every pass over the data, and again after a stop. TRL
decodes completions without special tokens, thinking marks among them, so the reward reads the ids instead.

G: completions of one question. T: tokens of the longest completion.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset as Table
from trl import GRPOConfig, GRPOTrainer, RLOOConfig, RLOOTrainer

from lab.core.context import Context
from lab.data.chat import prompt_messages
from lab.data.dataset import fingerprint
from lab.data.resolving import resolve_dataset
from lab.data.targets import THINKING_STYLES
from lab.engine._decoding import decode
from lab.training._checkpointing import run
from lab.training._faults import machine_limits
from lab.training._group_curve import GroupLive, diverged
from lab.training._held_out import HeldOut
from lab.training._ppo_answers import end_ids
from lab.training._rollouts import written_opening
from lab.training._start import Begun, begin
from lab.training._weights import count_parameters
from lab.training._with_reference import base_inputs, counts, leave, load_start, settle, shared_arguments
from lab.training.grpo_specs import GroupSettings, GrpoSpec, RlooSpec
from lab.training.micro_batches import with_smaller_batches
from lab.training.probes import asked_probes
from lab.training.ranks import check_world
from lab.training.rewards import reward
from lab.training.rl_questions import Question, Questions, build_questions, of_step
from lab.training.saves import Saves, Wish

TENTH = 10  # figures of both ends are means over a tenth of the points: one batch alone says little
Reward = Callable[..., list[float]]


def train_grpo(spec: GrpoSpec, context: Context) -> dict[str, Any]:
    """Train one variant into `context.folder`; returns the figures of the run."""
    with machine_limits(context.folder):
        return with_smaller_batches(spec, context, lambda micro: _train(spec, context, micro, grpo_trainer))


def train_rloo(spec: RlooSpec, context: Context) -> dict[str, Any]:
    """As `train_grpo`."""
    with machine_limits(context.folder):
        return with_smaller_batches(spec, context, lambda micro: _train(spec, context, micro, rloo_trainer))


class BetweenSteps(Saves):
    """Saves between two steps of a run alone: completions that are learned from in several passes are not saved."""

    passes: int = 1
    n_asked: int = 0

    def wish(self) -> Wish:
        self.n_asked += 1
        return super().wish() if self.n_asked % self.passes == 0 else Wish(False, False)


def _train(spec: GroupSettings, context: Context, micro: int, build: Callable[..., Any]) -> dict[str, Any]:
    check_world(spec.gpus)
    begun = begin(spec, context)
    context.progress(0, 0, "reading the questions")
    examples = resolve_dataset(spec.dataset).load()
    examples = examples[: spec.max_rows] if spec.max_rows else examples
    questions = build_questions(spec, examples, begun.tokenizer)
    context.log(f"{len(questions.trained)} questions to train on, {len(questions.held_out)} held out, "
                f"{questions.n_too_long} dropped as longer than {spec.max_prompt_tokens} tokens, "
                f"{questions.n_unverifiable} whose answer cannot be verified")
    if spec.max_kl and not spec.kl_coefficient:
        context.log("kl_coefficient is 0: the KL to the start is not measured, so max_kl is not watched")
    context.progress(0, 0, "loading the start")
    live = GroupLive(context, spec)
    held_out = HeldOut(spec, begun, questions.held_out, live)
    trainer = build(spec, begun, questions, micro, context.checkpoints.folder)
    trainer.add_callback(live)
    trainer.add_callback(held_out)
    n_trainable, n_parameters = count_parameters(trainer.model)
    context.log(f"training {n_trainable:,} of {n_parameters:,} parameters for {spec.n_steps()} steps")
    origin = {"spec": spec.sha(), "dataset": fingerprint([question.example for question in questions.trained])}
    saves = BetweenSteps(context, origin, spec.checkpoint_every_s, {"live": live, "held_out": held_out})
    saves.passes = spec.passes
    _run(trainer, saves, spec)
    return {
        **counts(trainer, live), **_figures(spec, questions, live),
        "n_trainable": n_trainable, "n_parameters": n_parameters,
        "inputs": {"dataset": spec.dataset, "dataset_sha256": fingerprint(examples), "dataset_rows": len(examples),
                   **base_inputs(begun, trainer)},
        **leave(trainer, begun, spec, context, asked_probes(
            [question.example for question in questions.trained], spec.thinking, spec.health_probes)),
    }


def _run(trainer: Any, saves: Saves, spec: GroupSettings) -> None:
    try:
        run(trainer, saves)
    except RuntimeError as error:
        if "probability tensor" not in str(error):  # what sampling from weights that are not numbers raises
            raise
        raise diverged(spec, "the model's probabilities are not numbers") from error


def grpo_trainer(spec: GrpoSpec, begun: Begun, questions: Questions, micro: int, folder: Path) -> GRPOTrainer:
    """A trainer that is ready to run."""
    model = load_start(begun, spec)
    arguments = GRPOConfig(
        **_arguments(spec, micro, folder), loss_type=spec.loss_type, scale_rewards=spec.scale_rewards,
        epsilon_high=spec.clip_high or None,
    )
    ends = end_ids(begun.tokenizer, model)
    trainer = GRPOTrainer(
        model, reward_function(spec, begun, questions.trained, ends), args=arguments,
        train_dataset=schedule(spec, questions.trained), processing_class=begun.tokenizer,
    )
    settle(trainer, begun)
    return trainer


def rloo_trainer(spec: RlooSpec, begun: Begun, questions: Questions, micro: int, folder: Path) -> RLOOTrainer:
    """As `grpo_trainer`."""
    model = load_start(begun, spec)
    arguments = RLOOConfig(**_arguments(spec, micro, folder), normalize_advantages=spec.normalise_advantages)
    ends = end_ids(begun.tokenizer, model)
    trainer = RLOOTrainer(
        model, reward_function(spec, begun, questions.trained, ends), args=arguments,
        train_dataset=schedule(spec, questions.trained), processing_class=begun.tokenizer,
    )
    settle(trainer, begun)
    return trainer


def _arguments(spec: GroupSettings, micro: int, folder: Path) -> dict[str, Any]:
    return {
        **shared_arguments(spec, micro, folder, spec.n_steps() * spec.passes, spec.passes),
        "num_generations": spec.samples_per_prompt,
        "num_iterations": spec.passes,
        "max_completion_length": spec.max_new_tokens,
        "temperature": spec.temperature,
        "beta": spec.kl_coefficient,
        "epsilon": spec.clip,
        "mask_truncated_completions": spec.skip_cut,
        "shuffle_dataset": False,  # the table is in order
    }


def schedule(spec: GroupSettings, questions: Sequence[Question]) -> Table:
    """The whole run's prompts: each question of each step once; TRL repeats it G times. `place`: which question."""
    places = {question.example.id: place for place, question in enumerate(questions)}
    asked = [
        places[question.example.id]
        for step in range(1, spec.n_steps() + 1)
        for question in of_step(questions, spec, step)[:: spec.samples_per_prompt]
    ]
    return Table.from_dict({
        "prompt": [prompt_messages(questions[place].example) for place in asked], "place": asked,
    })


def reward_function(spec: GroupSettings, begun: Begun, questions: Sequence[Question], ends: frozenset[int]) -> Reward:
    """TRL's way to ask for the rewards of a batch of completions: their ids, and the place of each question."""
    opening = written_opening(begun.tokenizer, questions[0].prompt, THINKING_STYLES[begun.style].open)
    scheme = spec.scheme()

    def verified(completion_ids: list[list[int]], place: list[int], log_metric: Callable[[str, float], None],
                 **_: Any) -> list[float]:
        found = []
        for ids, where in zip(completion_ids, place, strict=True):
            ended = ids[-1] in ends
            text = opening + decode(begun.tokenizer, ids[:-1] if ended else ids)
            found.append(reward(text, questions[where].example, begun.style, ended, scheme))
        log_metric("accuracy", sum(each.correct for each in found) / len(found))
        log_metric("well_formed", sum(each.well_formed for each in found) / len(found))
        return [each.value for each in found]

    return verified


def _figures(spec: GroupSettings, questions: Questions, live: GroupLive) -> dict[str, Any]:
    rewards, kls, checks = live.values("reward"), live.values("kl"), live.values("eval_accuracy")
    n = max(1, len(rewards) // TENTH)
    return {
        "n_rows": len(questions.trained), "n_held_out": len(questions.held_out), "n_dropped": questions.n_dropped,
        "n_unverifiable": questions.n_unverifiable,
        "n_tokens": sum(len(question.prompt) for question in questions.trained),  # of the prompts of one pass
        "n_episodes": spec.n_steps() * spec.batch_size,
        "final_loss": None,  # a policy loss is no measure of how good a policy is
        "reward_first": sum(rewards[:n]) / n, "reward_last": sum(rewards[-n:]) / n,
        "kl_last": sum(kls[-n:]) / len(kls[-n:]) if kls else None, "kl_most": max(kls, default=None),
        "eval_accuracy_before": checks[0] if checks else None, "eval_accuracy_after": checks[-1] if checks else None,
    }
