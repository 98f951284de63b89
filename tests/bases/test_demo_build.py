"""The embedded bases' own build: same seed, same loss; a killed run goes on where it was."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import pytest
import yaml

from lab.bases.cards import BaseCard
from lab.bases.demo.build import Folders, build
from lab.bases.demo.designs import DESIGNS, Design
from lab.bases.demo.pretraining_text import document, practice
from lab.bases.demo.primitives import PRACTICE, PRIMITIVES, drill
from lab.bases.demo.training import Stage, stages

QUICK = (Stage("", document, 2, warmup=2), Stage("practice/", practice, 2, warmup=2))


def small(name: str) -> Design:
    """A design of the same family that trains in a second."""
    return dataclasses.replace(DESIGNS[name], hidden=32, feed_forward=64, layers=1, n_merges=60)


def built(design: Design, place: Path, plan: tuple[Stage, ...] = QUICK) -> list[tuple[int, float]]:
    return build(design, plan, Folders(place / "work", place / "out"), n_probe=4).losses


@pytest.mark.parametrize("name", sorted(DESIGNS))
def test_the_same_seed_gives_the_same_loss_and_a_card_that_can_be_read(name: str, tmp_path: Path) -> None:
    first, second = built(small(name), tmp_path / "a"), built(small(name), tmp_path / "b")
    assert first == second and [step for step, _ in first] == [2, 4]
    card = BaseCard.model_validate(yaml.safe_load((tmp_path / "a" / "out" / f"{name}.yaml").read_text()))
    assert card.name == name
    assert card.training["steps"] == 4 and set(card.training["probes"]) == set(PRIMITIVES)
    files = {file.name for file in (tmp_path / "a" / "out" / name).iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= files


def test_another_seed_gives_another_loss(tmp_path: Path) -> None:
    design = small("demo-llama")
    assert built(design, tmp_path / "a") != built(dataclasses.replace(design, seed=12), tmp_path / "b")


def test_a_run_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    design = small("demo-qwen2")
    first, second = Stage("", document, 4, warmup=2), Stage("practice/", practice, 3, warmup=2)
    whole = built(design, tmp_path / "whole", (first, second))
    built(design, tmp_path / "parts", (first,))
    parts = built(design, tmp_path / "parts", (first, second))
    assert parts == whole and [step for step, _ in parts] == [4, 7]
    again = built(design, tmp_path / "parts", (first, second))
    assert again == whole


def test_the_stages_share_all_steps_and_only_the_second_has_its_own_name() -> None:
    assert [stage.steps for stage in stages(7000)] == [4000, 3000]
    assert [stage.name for stage in stages(7)] == ["", "practice/"]
    last = stages(7000)[1]
    assert last.factor(0) < last.factor(60) > last.factor(2900) > 0


def test_a_drill_learns_results_and_never_random_operands() -> None:
    rng = random.Random(0)
    for _ in range(200):
        for text, learn in drill(rng):
            assert not learn or text.endswith("\n")
            assert learn or not text.startswith(("=", "<", ">"))


def test_every_primitive_answers_on_one_line() -> None:
    rng = random.Random(0)
    for name, (draw, weight) in PRACTICE.items():
        assert weight > 0
        for _ in range(200):
            given, result = draw(rng)
            assert result and "\n" not in result, name
