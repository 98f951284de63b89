"""What PPO learns from completions: the gradient, what moves, and the first losses fixed by seed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from lab.core.context import MemoryContext
from lab.core.errors import LabError
from lab.training import _ppo
from lab.training._ppo_update import Updates, mean_figures, rate_factor, score, targets
from lab.training._rollouts import Rollouts
from lab.training.rl_questions import of_step
from tests.training.ppo_runs import lesson, ready, sampled, spec, weights

# Of the first pass, and the mean of both: a change of the loss, the advantages or the optimiser shows here.
FIRST = {"policy_loss": 0.0, "value_loss": 0.0879, "clip_fraction": 0.0, "value_clip_fraction": 0.0, "ratio": 1.0,
         "update_kl": 0.0, "grad_norm": 1.54795}
MEAN = {"policy_loss": -0.05111, "value_loss": 0.08645, "clip_fraction": 0.04545, "value_clip_fraction": 0.0,
        "ratio": 1.02144, "update_kl": 0.0048, "grad_norm": 1.27213}


@pytest.mark.parametrize("method", ["lora", "full"])
def test_the_gradient_does_not_depend_on_the_size_of_a_forward_pass(tiny, tmp_path, method):
    run = ready(spec(method=method, value_trains_backbone=True), MemoryContext(tmp_path))
    run.updates.learn(*lesson(run), 1)  # so that nothing is zero any more
    rollouts, wanted = _ragged_lesson(run, step=2)
    assert rollouts.mask.sum(1).tolist() == [2, 4, 6, 8, 10, 12, 14, 16]
    found = []
    for micro in (8, 3, 1):
        updates = Updates(run.policy, run.spec, micro)
        updates.optimiser.zero_grad()
        figures = updates.accumulate(rollouts, wanted, torch.arange(8))
        parameters = [*run.policy.trained.values(), *run.policy.head.parameters()]
        found.append((figures, torch.cat([p.grad.flatten() for p in parameters])))
    for figures, gradient in found[1:]:
        torch.testing.assert_close(gradient, found[0][1], rtol=1e-3, atol=1e-6)
        assert figures == pytest.approx(found[0][0], rel=1e-4, abs=1e-6)


def test_recomputed_activations_give_the_same_weights(tiny, tmp_path):
    found = []
    for recomputed in (False, True):
        run = ready(spec(activation_checkpointing=recomputed, value_trains_backbone=True), MemoryContext(tmp_path))
        run.updates.learn(*lesson(run), 1)
        found.append(weights(run))
        assert not run.policy.model.training
    for name, value in found[0].items():
        torch.testing.assert_close(found[1][name], value, rtol=1e-5, atol=1e-6)


def _ragged_lesson(run: _ppo.Run, step: int):
    """The same with completions cut to 2, 4, … 16 tokens."""
    rollouts, _ = sampled(run, step)
    rollouts = replace(rollouts, mask=torch.arange(16) < 2 * torch.arange(1, 9)[:, None])
    scored = score(run.policy, rollouts, 8)
    return rollouts, targets(scored, [1.0, 0.0] * 4, rollouts, run.spec)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_every_trained_weight_moves_and_no_frozen_one_does(tiny, tmp_path, method):
    run = ready(spec(method=method), MemoryContext(tmp_path))
    before, head = weights(run), run.policy.head.weight.detach().clone()
    for step in (1, 2):  # the first step moves half of a new adapter: the other half is multiplied by zero
        run.updates.learn(*lesson(run, step), step)
    after = weights(run)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    trained = set(run.policy.trained)
    assert moved == trained and (trained == set(before)) is (method == "full")
    assert not torch.equal(head, run.policy.head.weight)


def test_rewarded_answers_become_likelier_and_others_less_likely(tiny, tmp_path):
    run = ready(spec(learning_rate=2e-3, ppo_epochs=4), MemoryContext(tmp_path))
    rollouts, wanted = lesson(run)
    run.updates.learn(rollouts, wanted, 1)
    change = ((score(run.policy, rollouts, 8).logprobs - wanted.logprobs) * rollouts.mask).sum(1)
    assert change[0::2].mean() > 0.05 and change[1::2].mean() < -0.05


def test_the_value_head_learns_alone_unless_told_otherwise_and_first_where_asked(tiny, tmp_path):
    for shared in (False, True):
        run = ready(spec(method="full", value_trains_backbone=shared, gamma=0.9), MemoryContext(tmp_path))
        torch.nn.init.ones_(run.policy.head.weight)
        rollouts, _ = sampled(run)
        run.policy(rollouts).values.sum().backward()
        touched = [name for name, p in run.policy.trained.items() if p.grad is not None and p.grad.any()]
        assert bool(touched) is shared
    run = ready(spec(value_warmup_steps=1), MemoryContext(tmp_path))
    before = weights(run)
    run.updates.learn(*lesson(run), 1)
    assert all(torch.equal(before[name], value) for name, value in weights(run).items())
    assert run.policy.head.weight.any()
    run.updates.learn(*lesson(run, 2), 2)
    assert not all(torch.equal(before[name], value) for name, value in weights(run).items())


def test_an_answer_that_was_cut_costs_the_penalty(tiny, tmp_path):
    run = ready(spec(batch_size=32, micro_batch_size=32, whiten_advantages=False, lam=1.0), MemoryContext(tmp_path))
    rollouts, scored = sampled(run)
    first = targets(scored, [0.5] * 32, rollouts, run.spec).returns[:, 0]  # nothing but the score is to come
    expected = torch.tensor([0.5 if ended else -0.5 for ended in rollouts.ended])
    assert 0 < sum(rollouts.ended) < 32
    torch.testing.assert_close(first, expected)


def test_the_first_losses_are_what_they_were(tiny, tmp_path):
    """Golden figures: fixed tokens and rewards on the tiny base's fixed weights, so nothing is drawn."""
    run = ready(spec(method="full", learning_rate=1e-3, n_minibatches=1), MemoryContext(tmp_path))
    asked = of_step(run.questions.trained, run.spec, 1)
    n_prompt = max(len(question.prompt) for question in asked)
    prompts = torch.tensor([[0] * (n_prompt - len(q.prompt)) + q.prompt for q in asked])
    n_real = torch.tensor([6, 3, 6, 1, 5, 4, 6, 2])
    places = torch.arange(6)
    rollouts = Rollouts(
        prompts, prompts != 0, (7 * torch.arange(8)[:, None] + 13 * places) % 250 + 5, places < n_real[:, None],
        [bool(n < 6) for n in n_real],
    )
    scored = score(run.policy, rollouts, 4)
    wanted = targets(scored, [1.0, 0.1, 0.0, 1.0, 0.1, 0.0, 1.0, 0.1], rollouts, run.spec)
    steps = run.updates.learn(rollouts, wanted, 1)
    assert len(steps) == 2
    assert steps[0] == pytest.approx(FIRST, abs=2e-4)
    assert mean_figures(steps) == pytest.approx(MEAN, abs=5e-4)


def test_the_learning_rate_warms_up_and_wastes_no_step(tiny):
    settings = spec(n_episodes=800, warmup_frac=0.04, scheduler="linear")  # 100 steps, 4 of them warming up
    assert [rate_factor(step, settings) for step in (1, 4, 5)] == pytest.approx([0.2, 0.8, 1.0])
    assert rate_factor(100, settings) == pytest.approx(1 / 96)
    assert rate_factor(1, spec(warmup_frac=0, scheduler="cosine")) == 1.0
    assert {rate_factor(step, spec(warmup_frac=0, scheduler="constant")) for step in range(1, 6)} == {1.0}


def test_a_loss_that_is_not_a_number_ends_the_run_and_says_what_to_change(tiny, tmp_path):
    run = ready(spec(), MemoryContext(tmp_path))
    rollouts, wanted = lesson(run)
    torch.nn.init.constant_(run.policy.head.bias, float("nan"))
    with pytest.raises(LabError, match="not a number at step 1: .* Lower learning_rate") as caught:
        run.updates.learn(rollouts, wanted, 1)
    assert caught.value.reason == "spec"
