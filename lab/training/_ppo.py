"""PPO as HuatuoGPT-o1 does it (arXiv 2412.18925, stage 2); TRL 1.16 has none. The arithmetic is in `rl_math.py`.

A step: sample an answer to each question, score it with the verifier, add the KL penalty at each token, estimate
advantages, learn in a few clipped passes. Questions, draws and minibatches of step k follow from the seed and k, so a
checkpoint holds weights, value head, optimiser and curve, and a run that goes on is the run that was not stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from lab.core.context import Context
from lab.data.dataset import fingerprint
from lab.data.resolving import resolve_dataset
from lab.engine._weights import SMALL_PARAMETERS
from lab.training._faults import machine_limits, memory_left
from lab.training._ppo_answers import answer, end_ids, held_out_figures, reward_figures
from lab.training._ppo_curve import Curve
from lab.training._ppo_policy import Policy
from lab.training._ppo_result import leave
from lab.training._ppo_update import Updates, check_kl, mean_figures, score, step_figures, targets
from lab.training._rollouts import Sampling
from lab.training._start import Begun, begin, device, load_policy
from lab.training._weights import count_parameters
from lab.training.micro_batches import with_smaller_batches
from lab.training.rl_questions import Questions, build_questions, of_step
from lab.training.rl_specs import PpoSpec
from lab.training.saves import Saves

STATE = "state.pt"
# A row that is generated holds keys and values alone, one that is learned from all its activations.
GENERATED_PER_TRAINED = 16


@dataclass(frozen=True)
class Run:
    """Everything of one attempt at a run."""

    spec: PpoSpec
    context: Context
    begun: Begun
    questions: Questions
    policy: Policy
    updates: Updates
    sampling: Sampling
    curve: Curve
    saves: Saves


def train_ppo(spec: PpoSpec, context: Context) -> dict[str, Any]:
    """Train one variant into `context.folder`; `_ppo_result.py` says what it returns."""
    with machine_limits(context.folder):
        return with_smaller_batches(spec, context, lambda micro: _train(spec, context, micro))


def _train(spec: PpoSpec, context: Context, micro: int) -> dict[str, Any]:
    begun = begin(spec, context)
    context.progress(0, 0, "reading the questions")
    examples = resolve_dataset(spec.dataset).load()
    questions = build_questions(spec, examples, begun.tokenizer)
    context.log(f"{len(questions.trained)} questions to train on, {len(questions.held_out)} held out, "
                f"{questions.n_too_long} dropped as longer than {spec.max_prompt_tokens} tokens, "
                f"{questions.n_unverifiable} whose answer cannot be verified")
    context.progress(0, 0, "loading the base")
    run = prepare(spec, context, begun, questions, micro)
    n_trainable, n_parameters = count_parameters(run.policy.model)
    context.log(f"training {n_trainable:,} of {n_parameters:,} parameters and a value head of "
                f"{sum(p.numel() for p in run.policy.head.parameters())} for {spec.n_steps()} steps")
    learn(run)
    return leave(run, examples[: spec.max_rows] if spec.max_rows else examples)


def prepare(spec: PpoSpec, context: Context, begun: Begun, questions: Questions, micro: int) -> Run:
    """A run that is ready for its first step."""
    model = load_policy(begun, spec)
    if spec.quantisation == "none":  # 4-bit weights are placed as they are read
        model.to(device())
    if model.device.type == "cpu" and sum(p.numel() for p in model.parameters()) < SMALL_PARAMETERS:
        torch.set_num_threads(1)  # a small model's products are too short to share
    policy = Policy(model, spec.temperature, spec.value_trains_backbone)
    sampling = Sampling(
        spec.max_new_tokens, spec.temperature, end_ids(begun.tokenizer, model),
        begun.tokenizer.pad_token_id or 0, GENERATED_PER_TRAINED * micro,
    )
    curve = Curve(context)
    rows = fingerprint([question.example for question in questions.trained])
    saves = Saves(context, {"spec": spec.sha(), "dataset": rows}, spec.checkpoint_every_s, {"curve": curve})
    return Run(spec, context, begun, questions, policy, Updates(policy, spec, micro), sampling, curve, saves)


def learn(run: Run) -> None:
    """All steps, from the last whole checkpoint if there is one. Raises Stopped after a stop."""
    spec, n_steps = run.spec, run.spec.n_steps()
    found = run.saves.begin()
    if found:
        load(run, found.folder)
    run.curve.begin()
    with memory_left():
        if not found and run.questions.held_out:
            run.context.progress(0, n_steps, "first check on held-out questions")
            run.curve.point(0, held_out_figures(run))
        for step in range(found.step + 1 if found else 1, n_steps + 1):
            figures = one_step(run, step)
            if step == n_steps or (spec.eval_every_steps and step % spec.eval_every_steps == 0):
                figures |= held_out_figures(run)
            run.curve.point(step, figures)
            run.context.progress(step, n_steps, _text(figures))
            _save_or_stop(run, step, n_steps)


def one_step(run: Run, step: int) -> dict[str, float]:
    """Sample, score, learn; the figures of the step. They are of the policy as it sampled, before it learned."""
    spec = run.spec
    asked = of_step(run.questions.trained, spec, step)
    rollouts, rewards = answer(run, asked, run.sampling, spec.seed * 1_000_003 + step)
    scored = score(run.policy, rollouts, run.updates.micro)
    figures = {**reward_figures(rollouts, rewards), **step_figures(scored, rollouts.mask)}
    check_kl(figures["kl"], step, spec)
    wanted = targets(scored, [each.value for each in rewards], rollouts, spec)
    figures |= mean_figures(run.updates.learn(rollouts, wanted, step))
    run.curve.n_tokens_seen += rollouts.n_tokens
    return {**figures, "learning_rate": run.updates.optimiser.param_groups[0]["lr"],
            "tokens_per_s": round(run.curve.tokens_per_s, 1)}


def _save_or_stop(run: Run, step: int, n_steps: int) -> None:
    """A stop that comes in the last step is too late to spare anything."""
    wish = run.saves.wish()
    if not wish.save or step == n_steps:
        return
    state = {"policy": run.policy.state(), "updates": run.updates.state()}
    torch.save(state, run.saves.folder(step) / STATE)
    run.saves.seal(step)
    if wish.stop:
        raise run.saves.stopped(step, n_steps)


def load(run: Run, folder: Path) -> None:
    state = torch.load(folder / STATE, map_location=run.policy.model.device, weights_only=True)
    run.policy.restore(state["policy"])
    run.updates.restore(state["updates"])


def _text(figures: dict[str, float]) -> str:
    """What a bar does not say; the time left is the store's to estimate."""
    return (f"reward {figures['reward']:.3f}, accuracy {figures['accuracy']:.0%}, KL {figures['kl']:.2f}, "
            f"{figures['tokens_per_s']:,.0f} tokens/s")
