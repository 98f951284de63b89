"""The policy of PPO, its reference and its value head, against passes of each row alone."""

from __future__ import annotations

import pytest
import torch

from lab.core.context import MemoryContext
from lab.training._ppo_update import score, targets
from tests.training.ppo_runs import adapter_folder, ready, sampled, spec, start

__all__ = ["adapter_folder", "start"]
BEGINNINGS = pytest.mark.parametrize("values", [
    {"method": "lora"}, {"method": "full"}, {"start": "variant:taught"}, {"method": "lora", "lora_variant": "dora"},
], ids=["new adapter", "full", "adapter goes on", "dora"])


def test_log_probabilities_are_those_of_each_row_alone_at_the_temperature_it_was_sampled_with(tiny, tmp_path):
    run = ready(spec(method="full", temperature=0.7), MemoryContext(tmp_path))
    rollouts, scored = sampled(run)
    assert rollouts.prompt_mask.sum(1).unique().numel() > 1
    for row in range(len(rollouts)):
        prompt, tokens = (ids[mask] for ids, mask in (
            (rollouts.prompts[row], rollouts.prompt_mask[row]), (rollouts.tokens[row], rollouts.mask[row]),
        ))
        ids = torch.cat([prompt, tokens])[None]
        with torch.no_grad():
            logits = run.policy.model(ids, use_cache=False).logits[0, len(prompt) - 1 : -1]
        expected = (logits / 0.7).log_softmax(-1).gather(1, tokens[:, None]).squeeze(1)
        torch.testing.assert_close(scored.logprobs[row][: len(tokens)], expected, rtol=1e-4, atol=1e-5)
        assert not scored.logprobs[row][len(tokens):].any()


@BEGINNINGS
def test_the_kl_begins_at_exactly_zero_and_the_ratio_at_one(tiny, tmp_path, start, values):
    run = ready(spec(**values, lora_dropout=0.0), MemoryContext(tmp_path, models=start))
    rollouts, scored = sampled(run)
    assert torch.equal(scored.logprobs, scored.reference)
    assert not scored.values.any()  # a head from zero expects nothing
    wanted = targets(scored, [1.0, 0.0] * 4, rollouts, run.spec)
    figures = run.updates.accumulate(rollouts, wanted, torch.arange(4))  # the first minibatch, in training's own pass
    assert figures["ratio"] == pytest.approx(1.0, abs=1e-6)
    assert figures["clip_fraction"] == 0 and figures["update_kl"] == pytest.approx(0.0, abs=1e-7)


def test_dropout_of_a_start_is_off_in_every_pass(tiny, tmp_path, start, adapter_folder):
    run = ready(spec(start="variant:taught", activation_checkpointing=True), MemoryContext(tmp_path, models=start))
    run.policy.model.train()
    rollouts, scored = sampled(run)
    again = score(run.policy, rollouts, 4)
    assert torch.equal(scored.logprobs, again.logprobs)
    assert all(m.p == 0 for m in run.policy.model.modules() if isinstance(m, torch.nn.Dropout))


@BEGINNINGS
def test_the_reference_stays_what_the_run_began_with(tiny, tmp_path, start, values):
    run = ready(spec(**values), MemoryContext(tmp_path, models=start))
    rollouts, before = sampled(run)
    run.updates.learn(rollouts, targets(before, [1.0, 0.0] * 4, rollouts, run.spec), 1)
    after = score(run.policy, rollouts, run.updates.micro)
    assert torch.equal(after.reference, before.reference)
    assert not torch.equal(after.logprobs, before.logprobs)


def test_the_reference_of_an_adapter_that_goes_on_is_the_adapter_and_not_the_base(tiny, tmp_path, start):
    run = ready(spec(start="variant:taught"), MemoryContext(tmp_path, models=start))
    rollouts, scored = sampled(run)
    with run.policy.model.disable_adapter():
        base = score(run.policy, rollouts, 8).logprobs
    assert (base - scored.reference).abs().max() > 0.01
