"""Every recipe that ships parses, validates, and is explained."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import lab
from jobs.catalog import specs
from lab.core.spec import Spec, load_spec, read_recipe
from lab.studies.plan import plan
from lab.studies.preview import preview

FOLDER = Path(lab.__file__).parent / "recipes"
RECIPES = sorted(FOLDER.rglob("*.yaml"))
every_recipe = pytest.mark.parametrize("path", RECIPES, ids=lambda path: str(path.relative_to(FOLDER)))


def load(name: str) -> Spec:
    kind, values = read_recipe(FOLDER / name)
    return load_spec(specs()[kind], values)


def test_there_are_recipes():
    assert {path.name for path in RECIPES} >= {"study.yaml", "grid.yaml", "pair.yaml", "benchmark.yaml"}


@every_recipe
def test_it_parses_and_validates(path):
    kind, values = read_recipe(path)
    assert load_spec(specs()[kind], values, str(path)).kind == kind


@every_recipe
def test_its_folders_readme_names_it(path):
    assert path.name in (path.parent / "README.md").read_text(encoding="utf-8")


def test_every_family_is_in_the_index():
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    families = {path.relative_to(FOLDER).parts[0] for path in RECIPES}
    assert families == {"demo", "meditron", "huatuogpt-o1", "finemedlm-o1", "s1"}
    assert all(f"{family}/README.md" in index for family in families)


@every_recipe
def test_it_says_in_a_comment_what_it_is_for(path):
    assert path.read_text(encoding="utf-8").startswith("# ")


def test_the_demo_study_is_one_pair_with_its_base_and_an_answer_bank():
    kinds = [job.kind for job in plan(load("demo/study.yaml"))]
    assert kinds == ["benchmark", "sft", "benchmark", "sft", "benchmark", "answers"]


def test_the_grid_holds_twelve_variants_and_the_demo_study_among_them():
    grid, study = load("demo/grid.yaml"), load("demo/study.yaml")
    assert len(grid.variants()) == 12
    assert all(variant in grid.variants() for variant in study.variants())


def test_the_demo_recipes_share_their_hyperparameters():
    given = [yaml.safe_load(p.read_text())["training"] for p in sorted((FOLDER / "demo").glob("*.yaml"))
             if yaml.safe_load(p.read_text())["kind"] == "study"]
    assert len(given) >= 3 and all(values == given[0] for values in given)


def test_no_row_of_the_demo_study_is_too_long_and_the_minutes_are_known():
    rows = preview(load("demo/study.yaml"))
    assert len(rows) == 2
    for row in rows:
        assert not row.problem and row.n_dropped == 0 and row.n_rows == 2400
        assert row.minutes is not None and row.minutes < 6  # on one core, as guessed before any job ran
