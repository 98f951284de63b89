"""Specs report every fault at once, in words that help."""

from typing import ClassVar

import pytest
from pydantic import Field

from lab.core.errors import Fault, LabError, SpecError
from lab.core.spec import Spec, known_name, load_spec, parse_overrides, parse_recipe, read_recipe, to_yaml


class Inner(Spec):
    learning_rate: float = Field(1e-3, gt=0, description="Peak learning rate.")


class Toy(Spec):
    kind: ClassVar[str] = "toy"
    base: str = Field(description="Base.")
    rows: int = Field(1, ge=1, description="Rows.")
    training: Inner = Field(Inner(), description="Settings.")

    def check_names(self) -> list[Fault]:
        return known_name("base", "base", self.base, ["demo-llama", "demo-qwen2"])


def test_all_faults_come_together_with_field_value_and_near_miss():
    values = {"base": "demo-lama", "rows": -1, "rowz": 3, "training": {"learning_rat": 1}}
    with pytest.raises(SpecError) as error:
        load_spec(Toy, values)
    text = str(error.value)
    assert "4 faults" in text
    assert "rows: should be greater than or equal to 1 (got -1)" in text
    assert "rowz: no such field. Did you mean 'rows'?" in text
    assert "training.learning_rat: no such field. Did you mean 'learning_rate'?" in text
    assert "base: unknown base 'demo-lama'. Did you mean 'demo-llama'?" in text


def test_a_name_fault_alone_is_a_spec_fault():
    with pytest.raises(SpecError, match="Did you mean 'demo-qwen2'"):
        load_spec(Toy, {"base": "demo-qwen"})


def test_a_missing_field_is_named():
    with pytest.raises(SpecError, match="base: is required"):
        load_spec(Toy, {})


def test_a_negative_learning_rate_is_refused_with_its_value():
    with pytest.raises(SpecError, match=r"training.learning_rate: should be greater than 0 \(got -0.1\)"):
        load_spec(Toy, {"base": "demo-llama", "training": {"learning_rate": -0.1}})


def test_the_sha_depends_on_values_and_not_on_their_order():
    one = load_spec(Toy, {"base": "demo-llama", "rows": 2})
    two = load_spec(Toy, {"rows": 2, "base": "demo-llama"})
    assert one.sha() == two.sha() != load_spec(Toy, {"base": "demo-llama"}).sha()
    assert len(one.sha()) == 12


def test_a_recipe_round_trips_through_yaml():
    spec = load_spec(Toy, {"base": "demo-llama", "rows": 7})
    kind, values = parse_recipe(to_yaml("toy", spec.as_dict()), "text")
    assert kind == "toy" and load_spec(Toy, values) == spec


def test_overrides_reach_into_groups_and_are_read_as_yaml():
    overrides = parse_overrides(["rows=3", "training.learning_rate=1e-2", "base=demo-qwen2"])
    kind, values = parse_recipe("kind: toy\nbase: demo-llama", "text", overrides)
    assert values == {"base": "demo-qwen2", "rows": 3, "training": {"learning_rate": "1e-2"}}
    assert load_spec(Toy, values).training.learning_rate == 0.01


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: [toy", "recipe line 1: not valid YAML"),
        ("base: demo-llama", "a recipe is a mapping with a 'kind' field"),
        ("- 1", "a recipe is a mapping"),
    ],
)
def test_a_broken_recipe_says_what_is_wrong(text, message):
    with pytest.raises(LabError, match=message):
        parse_recipe(text, "recipe")


def test_a_missing_recipe_file_is_one_sentence(tmp_path):
    with pytest.raises(LabError, match="does not exist"):
        read_recipe(tmp_path / "none.yaml")


def test_an_override_without_equals_is_refused():
    with pytest.raises(SpecError, match="key=value"):
        parse_overrides(["seed"])


def test_an_override_into_a_plain_value_is_refused():
    with pytest.raises(SpecError, match="not a group"):
        parse_recipe("kind: toy\nbase: x", "text", {"base.name": 1})
