"""The house rules a machine can see: sizes, names, nothing fetched at run time, nothing private in the text."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("lab", "jobs", "storage")
SOURCES = [ROOT / "app.py", *(path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))]
MIGRATIONS = ROOT / "storage" / "migrations" / "versions"
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc", "manager"}


def tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return [ROOT / line for line in listing.splitlines() if (ROOT / line).is_file()]


def test_there_is_something_to_check():
    assert len(SOURCES) > 50


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_short_says_what_it_is_and_has_a_telling_name(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 400
    assert path.stem not in FORBIDDEN_NAMES
    if text.strip() and path.parent != MIGRATIONS:
        assert ast.get_docstring(ast.parse(text)), "no module docstring"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_function_is_short(path):
    if path.parent == MIGRATIONS:
        pytest.skip("migrations are generated and then frozen")
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 60, f"{node.name} has {lines} lines"


def test_pages_name_no_foreign_host():
    """A hospital has no internet: no CDN, no web font, no analytics in what the lab itself serves."""
    pattern = re.compile(r"""(?:src|href|url\(|@import)\s*[=(]?\s*["']?(https?:)?//(?!127\.0\.0\.1|localhost)""")
    for path in [*(ROOT / "lab" / "ui").rglob("*.py"), *(ROOT / "lab" / "ui").rglob("*.css"), ROOT / "app.py"]:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            assert not pattern.search(line), f"{path.name}:{number}: {line.strip()}"


def test_every_dependency_is_pinned():
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            if line and not line.startswith(("#", "-")):
                assert re.fullmatch(r"[A-Za-z0-9_.\[\]-]+==[0-9][\w.]*", line), f"{name}: {line}"


def test_no_text_carries_a_machine_path():
    pattern = re.compile(r"(?<![\w.])/(?:work|root|home/\w+)/")
    files = [path for path in tracked() if path.suffix in {".py", ".md", ".yaml", ".toml", ".txt", ".css", ".sh"}]
    for path in files:
        if path != Path(__file__):
            for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
                assert not pattern.search(line), f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
