"""Saves without any trainer: a plain loop stops, resumes and ends where it would have ended."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import torch

from lab.core.context import MemoryContext, Stopped
from lab.training.saves import Saves, Wish
from tests.training.attempts import attempt

N_STEPS = 9


@dataclass
class Curve:
    """What a plain loop counts."""

    losses: list[float] = field(default_factory=list)

    def state(self) -> dict:
        return {"losses": self.losses}

    def restore(self, state: dict) -> None:
        self.losses = state["losses"]


def loop(context: MemoryContext, origin: str = "a") -> tuple[torch.Tensor, list[float]]:
    """Noisy regression with Adam, written as the docstring of saves.py says."""
    torch.manual_seed(0)
    weight = torch.zeros(3, requires_grad=True)  # (3,)
    optimiser, curve = torch.optim.Adam([weight], lr=0.1), Curve()
    saves = Saves(context, {"spec": origin}, every_s=0, keep={"curve": curve})
    start = saves.begin()
    if start:
        state = torch.load(start.folder / "state.pt")
        weight.data.copy_(state["weight"])
        optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["random"])
    for step in range(start.step + 1 if start else 1, N_STEPS + 1):
        loss = ((weight - torch.randn(3)) ** 2).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        curve.losses.append(loss.item())
        context.metric(step, loss=loss.item())
        wish = saves.wish()
        if wish.save:
            state = {"weight": weight.data, "optimiser": optimiser.state_dict(), "random": torch.get_rng_state()}
            torch.save(state, saves.folder(step) / "state.pt")
            saves.seal(step)
        if wish.stop:
            raise saves.stopped(step, N_STEPS)
    return weight.detach(), curve.losses


def test_a_plain_loop_that_was_stopped_ends_as_one_that_was_not(tmp_path):
    expected, losses = loop(attempt(tmp_path / "whole"))
    first = attempt(tmp_path / "cut", n_steps=4)
    with pytest.raises(Stopped, match="stopped after step 4 of 9; checkpoint-4 is whole"):
        loop(first)
    second = attempt(tmp_path / "cut", first)
    weight, resumed = loop(second)
    assert torch.equal(weight, expected) and resumed == losses and len(losses) == N_STEPS
    assert [step for step, _ in second.metrics] == list(range(1, N_STEPS + 1))


def test_what_was_reported_after_the_checkpoint_is_void(tmp_path):
    first = attempt(tmp_path / "job", n_steps=4)
    with pytest.raises(Stopped):
        loop(first)
    first.metric(5, loss=0.0)  # reported by a process that died before it could save
    second = attempt(tmp_path / "job", first)
    assert Saves(second, {"spec": "a"}, 0, {"curve": Curve()}).begin().step == 4
    assert [step for step, _ in second.metrics] == [1, 2, 3, 4]
    assert Saves(second, {"spec": "b"}, 0, {"curve": Curve()}).begin() is None
    assert second.metrics == []


def test_without_a_clock_a_save_is_wished_for_with_a_stop_alone(tmp_path):
    assert Saves(attempt(tmp_path / "a"), {}, every_s=0).wish() == Wish(stop=False, save=False)
    assert Saves(attempt(tmp_path / "b", n_steps=1), {}, every_s=0).wish() == Wish(stop=True, save=True)
    assert Saves(attempt(tmp_path / "c"), {}, every_s=5, saved_at=-1e9).wish() == Wish(stop=False, save=True)
