"""The recipes that come with the lab, by family, as the page lists them. Read from their files at each look: they are
few and short, and an edited file shows at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import lab
from lab.core.errors import LabError, nearest
from lab.ui.components.folds import fold
from lab.ui.components.html import empty, tag
from lab.ui.components.markup import Html, join
from lab.ui.kinds import kind_words

FOLDER = Path(lab.__file__).parent / "recipes"
KIND = re.compile(r"^kind:\s*(\w+)", re.MULTILINE)
YAML_LINK = re.compile(r"\]\((?!https?://|/)([\w./-]+\.yaml)\)")
OTHER_LINK = re.compile(r"\[([^\]]+)\]\((?!https?://|/)[^)]+\)")
TITLES = {"demo": "Demo", "meditron": "Meditron", "huatuogpt-o1": "HuatuoGPT-o1", "finemedlm-o1": "FineMedLM-o1",
          "s1": "s1"}


@dataclass(frozen=True)
class Recipe:
    """One file. `name`: its path below the folder of recipes, 'huatuogpt-o1/demo/ppo.yaml'."""

    name: str
    kind: str
    about: str
    text: str

    @property
    def family(self) -> str:
        return self.name.partition("/")[0]

    @property
    def runs_here(self) -> bool:
        """Whether it is a twin on the bases and data that ship with the lab."""
        return "demo" in self.name.split("/")[:-1]

    @property
    def title(self) -> str:
        """'ppo' of 'huatuogpt-o1/demo/ppo.yaml'."""
        return self.name.rpartition("/")[2].removesuffix(".yaml")


@dataclass(frozen=True)
class Family:
    """Recipes of one source, with the README that names the source of their numbers."""

    name: str
    recipes: Sequence[Recipe]

    @property
    def title(self) -> str:
        return TITLES.get(self.name, self.name)


def shelf(folder: Path = FOLDER) -> list[Family]:
    """Every family, the demo first; in each the full recipes before their demo twins."""
    found: dict[str, list[Recipe]] = {}
    for file in sorted(folder.rglob("*.yaml")):
        recipe = _read(file, folder)
        found.setdefault(recipe.family, []).append(recipe)
    families = [Family(name, sorted(recipes, key=lambda one: (one.runs_here, one.name)))
                for name, recipes in found.items()]
    return sorted(families, key=lambda family: (family.name != "demo", family.title.lower()))


def find_recipe(name: str, families: Sequence[Family]) -> Recipe:
    """The recipe with this path; LabError with the nearest one."""
    known = {recipe.name: recipe for family in families for recipe in family.recipes}
    if name not in known:
        raise LabError(f"there is no recipe '{name}'. {nearest(name, known)}", "spec")
    return known[name]


def _read(file: Path, folder: Path) -> Recipe:
    text = file.read_text(encoding="utf-8")
    kind = KIND.search(text)
    return Recipe(file.relative_to(folder).as_posix(), kind[1] if kind else "", _about(text), text)


def _about(text: str) -> str:
    """The comment at the top, without its marks."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# ").rstrip())
    return " ".join(line for line in lines if line)


def readme(family: str, folder: Path = FOLDER) -> str:
    """The family's README as Markdown; its links to recipes open them on this page, others are plain words."""
    file = folder / family / "README.md"
    if not file.is_file():
        return ""
    text = YAML_LINK.sub(rf"](/recipes?recipe={family}/\1)", file.read_text(encoding="utf-8"))
    return OTHER_LINK.sub(lambda found: found[0] if "recipes?" in found[0] else found[1], text)


def shelf_html(families: Sequence[Family], chosen: str = "") -> Html:
    """A fold for each family, its recipes as rows to choose; the chosen recipe's family is open, else the first."""
    if not families:
        return empty("No recipe is here", "The lab's recipes lie under lab/recipes.")
    opened = chosen.partition("/")[0] or families[0].name
    return tag("div", *(_family(family, chosen, family.name == opened) for family in families), cls="shelf")


def _family(family: Family, chosen: str, opened: bool) -> Html:
    rows = tag("ul", *(_row(recipe, recipe.name == chosen) for recipe in family.recipes), cls="recipes")
    title = join([family.title, " ", tag("small", f"{len(family.recipes)}")])
    return fold(f"family-{family.name}", title, rows, opened=opened)


def _row(recipe: Recipe, chosen: bool) -> Html:
    here = tag("small", "runs here", cls="runs-here", title="on the bases and data that ship with the lab")
    head = tag("span", tag("b", recipe.title), tag("small", kind_words(recipe.kind)),
               here if recipe.runs_here else None, cls="recipe-head")
    about = tag("span", recipe.about, cls="recipe-about", title=recipe.about) if recipe.about else None
    return tag("li", tag("a", head, about, href=f"/recipes?recipe={recipe.name}", data_select=True, cls="row-link",
                         aria_current="true" if chosen else None))

