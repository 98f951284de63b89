"""Made datasets: what the lab itself has made of other data, with where each comes from, kept beside its file.

`LAB_HOME/datasets/<name>-<8 digits of its sha256>.jsonl` holds the rows, in the lab's own format or as pairs; beside it
`….made.json` holds a `Made`. Neither file is ever written again: an edited dataset is another one, whose parent is
this. `keeping.py` writes them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, ValidationError

from lab.core.types import Plain

By = Literal["problems", "reasoning", "instructions", "ratings", "review"]
FOLDER = "datasets"  # below LAB_HOME
EMBEDDED = "demo-teacher"  # as lab.synthesis names the teacher that is no model; a test holds the two together


class Parent(Plain):
    """What a dataset was made from."""

    name: str  # as a recipe names it
    sha256: str  # fingerprint of its rows as they were read
    rows: int


class Made(Plain):
    """One made dataset: its lineage and what its datasheet tells."""

    name: str
    title: str
    kind: Literal["rows", "pairs"]
    rows: int
    sha256: str  # of the file's bytes
    fingerprint: str  # sha256 over the rows as training reads them
    by: By
    job: str = ""  # uid of the job that made it
    spec: dict[str, Any] = Field(default_factory=dict)
    parents: tuple[Parent, ...] = ()
    teachers: dict[str, dict[str, Any]] = Field(default_factory=dict)  # role → ModelSource without its key's variable
    prompts: dict[str, str] = Field(default_factory=dict)  # template → 12 digits of its sha256
    funnel: dict[str, Any] | None = None  # lab.synthesis.funnel.Funnel
    spent: dict[str, Any] | None = None  # lab.synthesis.spending.Spent
    notes: tuple[str, ...] = ()  # what a reader has to know, such as an embedded teacher
    license: str = "as its parents' owners and the teacher's terms allow"
    created: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


class MadeFile(NamedTuple):
    """A made dataset and where its rows are."""

    path: Path
    made: Made


def made_path(path: str | Path) -> Path:
    """Where the facts about a file of rows lie: beside it."""
    return Path(path).with_suffix(".made.json")


def made_of(path: str | Path) -> Made | None:
    """The facts beside a file of rows; None for a file that the lab has not made, or whose facts cannot be read."""
    try:
        return Made.model_validate_json(made_path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, ValidationError):
        return None


def made_files(home: str | Path) -> list[MadeFile]:
    """Every made dataset of this lab, newest first."""
    there = sorted((Path(home) / FOLDER).glob("*.jsonl"))
    found = [MadeFile(path, made) for path in there if (made := made_of(path))]
    return sorted(found, key=lambda file: file.made.created, reverse=True)


def embedded_roles(made: Made) -> list[str]:
    """The roles that the embedded teacher had: what it wrote is a demonstration, and no model's work."""
    return [role for role, model in made.teachers.items() if EMBEDDED in (model.get("ref"), model.get("base"))]


def find_made(home: str | Path, name: str) -> Path | None:
    """The file of a made dataset by its file name, with or without ending; a whole path is also taken."""
    bare = name.removesuffix(".jsonl")
    path = Path(f"{bare}.jsonl").expanduser() if "/" in name else Path(home) / FOLDER / f"{bare}.jsonl"
    return path if path.is_file() and made_path(path).is_file() else None
