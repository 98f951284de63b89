"""A recipe's text is changed value by value, and its comments stay."""

import pytest

from lab.core.spec import parse_recipe
from lab.ui.recipes.shelf import FOLDER
from lab.ui.recipes.text import plain, with_values

TEXT = """# One base. From the paper, table 2.
kind: study
name: Mine  # a name
bases: [demo-llama]
training:
  epochs: 4  # table 2
  lora_r: 64

# evaluation
max_new_tokens: 96
"""


def values(**changes):
    return parse_recipe(TEXT, "recipe")[1] | changes


def test_a_text_that_says_it_already_is_left_alone():
    assert with_values(TEXT, "study", values()) == TEXT


def test_one_value_changes_in_its_line_and_every_comment_stays():
    changed = with_values(TEXT, "study", values(name="Yours: a # b", bases=["demo-llama", "demo-qwen2"]))
    assert parse_recipe(changed, "recipe")[1] == values(name="Yours: a # b", bases=["demo-llama", "demo-qwen2"])
    assert all(comment in changed for comment in ("# One base.", "# table 2", "# evaluation"))
    assert sum(a != b for a, b in zip(changed.splitlines(), TEXT.splitlines(), strict=True)) == 2


def test_a_value_of_a_group_changes_in_its_group():
    changed = with_values(TEXT, "study", values(training={"epochs": 2.5, "lora_r": 64}))
    assert "  epochs: 2.5  # table 2" in changed


def test_a_new_value_stands_at_the_end_of_its_group_and_a_missing_one_goes():
    changed = with_values(TEXT, "study", values(training={"epochs": 4, "method": "full"}))
    assert changed.splitlines()[6] == "  method: full" and "lora_r" not in changed and "# evaluation" in changed


def test_another_kind_or_a_broken_text_is_written_anew():
    for text in (TEXT, "kind: [", ""):
        assert parse_recipe(with_values(text, "sft", {"base": "b"}), "recipe") == ("sft", {"base": "b"})


def test_a_value_over_several_lines_is_right_even_if_its_comments_go():
    text = "kind: study\nbases:\n  - a  # first\n  - b\nname: x\n"
    assert parse_recipe(with_values(text, "study", {"bases": ["c"], "name": "x"}), "recipe")[1]["bases"] == ["c"]


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("*.yaml")), ids=lambda file: file.name)
def test_every_recipe_of_the_lab_can_be_changed_in_any_value(file):
    text = file.read_text()
    kind, old = parse_recipe(text, file.name)
    for key in old:
        wanted = plain({name: value for name, value in old.items() if name != key} | {"seed": 7})
        assert parse_recipe(with_values(text, kind, wanted), "recipe") == (kind, wanted)
