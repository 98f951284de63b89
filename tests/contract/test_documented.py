"""What a user can set or type is written down: LAB_ variables in the README, commands in README or guides; and every
link between pages leads somewhere."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from jobs.cli.commands import parser
from lab.core.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEXT = "\n".join(page.read_text() for page in PAGES)


def _read_variables() -> set[str]:
    """The names that `Settings.from_env` asks for, found by asking it."""
    asked: set[str] = set()

    class Listening(dict[str, str]):
        def get(self, name: str, default: object = None) -> object:  # type: ignore[override]
            asked.add(name)
            return default

    Settings.from_env(Listening())
    return asked


def _commands() -> list[str]:
    actions = [action for action in parser()._actions if isinstance(action, argparse._SubParsersAction)]
    return sorted(actions[0].choices)


def test_there_is_something_to_check() -> None:
    assert "LAB_SLOTS" in _read_variables() and "submit" in _commands() and len(PAGES) > 5


@pytest.mark.parametrize("name", sorted(_read_variables()))
def test_every_variable_is_in_the_table_of_the_readme(name: str) -> None:
    assert re.search(rf"^\| .*`{name}`", (ROOT / "README.md").read_text(), re.MULTILINE), name


@pytest.mark.parametrize("command", _commands())
def test_every_command_is_shown_somewhere(command: str) -> None:
    assert re.search(rf"(?:jobs |`){command}\b", TEXT), command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+\.md)[^)]*\)", page.read_text()):
        assert (page.parent / target).is_file(), target
