"""Exports of a variant from the page: a process of their own each, as `python -m jobs export` would be.

What it did is read from its files under LAB_HOME/exports: the folder is there whole or not at all, and beside it lie
the process's identity and what it said. So an export outlives the tab and the web process that began it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lab
from jobs.processes import Identity, identify
from lab.core.context import write_json
from lab.core.errors import LabError
from lab.export.push import check_push
from lab.export.staging import size
from lab.ui.app_state import SPACE_SENTENCE, LabApp
from lab.ui.components.folds import fold
from lab.ui.components.html import ago, error, log_tail, progress_bar, state_badge
from lab.ui.components.markup import Html, join, tag
from lab.ui.models.detail import size_words
from storage.files import Home, read_json
from storage.files import log_tail as read_tail
from storage.queries.studies import get_variant

ROOT = Path(lab.__file__).parents[1]
CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class WantedExport:
    """`form`: adapter or merged; `repository`: ORG/NAME on the hub, "" for a folder alone."""

    variant: str
    form: str = "adapter"
    repository: str = ""
    private: bool = True


@dataclass(frozen=True)
class Export:
    """One export as its files tell it. `state`: running, succeeded or failed."""

    folder: Path
    state: str
    said: str
    began_at: datetime
    repository: str = ""


def begin(app: LabApp, wanted: WantedExport, environment: Mapping[str, str] = os.environ) -> Path:
    """Start the process; returns the folder it will make. LabError when it cannot succeed."""
    if not app.may_launch:
        raise LabError(SPACE_SENTENCE, "spec")
    with app.store.read() as session:
        variant = get_variant(session, wanted.variant)
    if wanted.repository:
        check_push(wanted.repository, environment)
    form = "full" if variant.weights == "full" else wanted.form
    folder = _free_folder(app.store.home, f"{variant.name}-{form}")
    process = _start(app, folder, _command(variant.name, folder, form, wanted), environment)
    who = identify(process.pid)
    write_json(_note(folder), {
        "variant": variant.name, "repository": wanted.repository, "began_at": datetime.now(UTC).isoformat(),
        "process": asdict(who) if who else None,
    })
    return folder


def _free_folder(home: Home, name: str) -> Path:
    """LAB_HOME/exports/NAME, or with -2, -3… where an export is or was."""
    place = home.path / "exports"
    place.mkdir(parents=True, exist_ok=True)
    folder, number = place / name, 1
    while folder.exists() or _note(folder).exists():
        number += 1
        folder = place / f"{name}-{number}"
    return folder


def _command(variant: str, folder: Path, form: str, wanted: WantedExport) -> list[str]:
    command = [sys.executable, "-m", "jobs", "export", variant, str(folder)]
    command += ["--merged"] if form == "merged" else []
    command += ["--push", wanted.repository] if wanted.repository else []
    return command + (["--private"] if wanted.repository and wanted.private else [])


def _start(
    app: LabApp, folder: Path, command: list[str], environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    env = {**environment, "LAB_HOME": str(app.store.home), "LAB_DATABASE_URL": app.settings.database_url,
           "PYTHONUNBUFFERED": "1"}
    with _log(folder).open("wb") as log:
        return subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=log,
                                stderr=subprocess.STDOUT, start_new_session=True)


def _note(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.json")


def _log(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.log")


def exports_of(home: Home, variant: str) -> list[Export]:
    """Every export of a variant that was begun here, newest first."""
    notes = [(file, read_json(file)) for file in (home.path / "exports").glob(".*.json")]
    found = [_read(file, note) for file, note in notes if note and note.get("variant") == variant]
    return sorted(found, key=lambda export: export.began_at, reverse=True)


def _read(file: Path, note: dict[str, Any]) -> Export:
    folder = file.with_name(file.stem[1:])
    process = note.get("process")
    running = process is not None and Identity(**process).alive()
    said = read_tail(_log(folder), 20)
    pushed = not note["repository"] or "pushed:" in said
    state = "running" if running else "succeeded" if folder.is_dir() and pushed else "failed"
    return Export(folder, state, said, datetime.fromisoformat(note["began_at"]), note["repository"])


def exports_html(home: Home, variant: str) -> Html:
    """Where each export is and how it loads, or why it came to nothing."""
    found = exports_of(home, variant) if variant else []
    return tag("div", *map(_one, found), cls="exports") if found else Html("")


def _one(export: Export) -> Html:
    head = tag("p", state_badge(export.state), " ", tag("code", export.folder), " ", tag("small", ago(export.began_at)))
    if export.state == "running":
        last = (export.said.splitlines() or ["starting"])[-1]
        return tag("div", head, progress_bar(0, 0, last), cls="lab-card")
    if export.state == "failed":
        why = (export.said.splitlines() or ["Its process went away and said nothing."])[-1]
        whole = fold(f"said-{export.folder.name}", "All it said", log_tail(export.said))
        return tag("div", head, error("The export came to nothing", why), whole, cls="lab-card")
    words = f"{size_words(size(export.folder))}, with its tokenizer, its contract and a model card."
    return tag("div", head, tag("p", words), _loading(export), cls="lab-card")


def _loading(export: Export) -> Html | None:
    """The lines of the card that load it, with the folder where they stand for it, and the files."""
    try:
        card = (export.folder / "README.md").read_text(encoding="utf-8")
    except OSError:
        return None
    code = CODE.search(card)
    place = export.repository or str(export.folder)
    lines = code[1].replace('MODEL = "."', f"MODEL = {json.dumps(place)}") if code else ""
    files = (file.relative_to(export.folder).as_posix() for file in sorted(export.folder.rglob("*")) if file.is_file())
    name = export.folder.name
    return join([
        fold(f"load-{name}", "Load it with plain transformers", _copyable(f"load-{name}", lines)) if lines else None,
        fold(f"card-{name}", "Its model card", tag("pre", card, cls="log", tabindex=0)),
        fold(f"files-{name}", "Its files", tag("p", join((tag("code", file) for file in files), ", "))),
    ])


def _copyable(name: str, text: str) -> Html:
    place = re.sub(r"[^\w-]", "-", name)
    return join([tag("pre", text, cls="log snippet", id=place, tabindex=0),
                 tag("button", "Copy", type="button", data_copy=f"#{place}", cls="button-link")])
