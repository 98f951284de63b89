"""Download, cache and offline are one path: against a hub on loopback, then without it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.core.errors import LabError
from lab.data.hub import HubSource, download_command
from tests.data.fake_hub import FakeHub, serving
from tests.data.rows import MADE, write

ROOT = Path(__file__).parents[2]
# A reader of the hub in a process of its own: huggingface_hub reads its address and its folders when it is imported.
PROGRAM = """
import sys
from lab.core.errors import LabError
from lab.data.hub import HubSource
revision, repository = sys.argv[1:3]
source = HubSource(repository, ("data/train-*.parquet",), ("question", "deepseek_attempt"), revision)
try:
    print("rows", len(list(source.rows())), "of", source.commit())
except LabError as problem:
    print(problem)
"""
COMMIT = "a" * 40


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeHub]:
    made = MADE["s1k-1.1"]
    content = write(tmp_path_factory.mktemp("files"), made.file, made.rows).read_bytes()
    files = {made.file: content, "README.md": b"# a card", "data/test-00000.parquet": b"not wanted"}
    with serving(FakeHub({"org/open": files, "org/gated": files}, frozenset({"org/gated"}))) as running:
        yield running


def read(cache: Path, address: str, revision: str, repository: str = "org/open", **more: str) -> str:
    env = {**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(cache), "HF_HUB_DISABLE_TELEMETRY": "1",
           "NO_PROXY": "127.0.0.1", "HF_HUB_OFFLINE": "0", **more}
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"):
        env.pop(name, None)
    done = subprocess.run([sys.executable, "-c", PROGRAM, revision, repository], cwd=ROOT, env=env, text=True,
                          capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize("revision", ["main", COMMIT])
def test_files_are_fetched_once_and_are_there_without_the_hub(hub: FakeHub, tmp_path: Path, revision: str) -> None:
    assert read(tmp_path, hub.url, revision) == f"rows 2 of {COMMIT}"
    fetched = [path for path in hub.asked if "/resolve/" in path]
    assert fetched and all("data/train" in path for path in fetched), "only the files of the reader are fetched"
    assert read(tmp_path, hub.url, revision, HF_HUB_OFFLINE="1") == f"rows 2 of {COMMIT}"
    assert read(tmp_path, "http://127.0.0.1:9", revision) == f"rows 2 of {COMMIT}"


def test_offline_and_not_cached_says_the_command_and_where_to_put_the_folder(tmp_path: Path) -> None:
    for settings in ({"HF_HUB_OFFLINE": "1"}, {}):
        said = read(tmp_path, "http://127.0.0.1:9", COMMIT, **settings)
        assert "not in this machine's cache" in said and "NAME@/path" in said
        assert download_command("org/open", COMMIT, ("data/train-*.parquet",)) in said


def test_a_gated_repository_names_the_token_and_the_page_and_opens_with_the_token(hub: FakeHub, tmp_path: Path) -> None:
    said = read(tmp_path, hub.url, COMMIT, "org/gated")
    assert "is gated" in said and "https://huggingface.co/datasets/org/gated" in said and "HF_TOKEN" in said
    assert read(tmp_path, hub.url, COMMIT, "org/gated", HF_TOKEN="hf_allowed") == f"rows 2 of {COMMIT}"


def test_no_such_repository_and_no_such_revision_are_two_sentences(hub: FakeHub, tmp_path: Path) -> None:
    assert "is not on the hub, or is private" in read(tmp_path, hub.url, COMMIT, "org/nothing")
    assert "has no such revision" in read(tmp_path, hub.url, "b" * 40)
    assert "no hub id" in read(tmp_path, hub.url, "main", "not/a/name")


def test_the_download_command_is_one_the_hub_library_takes(hub: FakeHub, tmp_path: Path) -> None:
    """The command of the sentence, run as it is, gives a folder the reader takes."""
    import shlex

    command = shlex.split(download_command("org/open", COMMIT, ("data/train-*.parquet",)))
    env = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "0"}
    program = Path(sys.executable).with_name(command[0])
    subprocess.run([program, *command[1:]], cwd=tmp_path, env=env, check=True, capture_output=True, timeout=120)
    source = HubSource("org/open", ("data/train-*.parquet",), ("question",), COMMIT).at(tmp_path / "open")
    assert len(list(source.rows())) == 2


def test_a_folder_without_the_files_says_what_is_there(tmp_path: Path) -> None:
    write(tmp_path, "other.jsonl", [{"a": 1}])
    source = HubSource("org/open", ("data/train-*.parquet",), ("question",), COMMIT).at(tmp_path)
    with pytest.raises(LabError, match=r"no file there matches data/train.*other\.jsonl.*hf download org/open"):
        source.paths()
    with pytest.raises(LabError, match="does not exist"):
        source.at(tmp_path / "nowhere").paths()


ANY_PROGRAM = """
import os, sys
from lab.core.errors import LabError
from lab.data.noted import read_noted
from lab.data.resolving import resolve_dataset
for name in sys.argv[1:]:
    try:
        loaded = read_noted(name) if os.environ.get("NOTED") else resolve_dataset(name).read()
        print("rows", len(loaded.rows), loaded.skipped)
    except LabError as problem:
        print(problem)
"""


def test_any_repository_with_known_columns_is_read_and_is_there_offline(tmp_path: Path) -> None:
    made = MADE["medical-o1-sft"]
    rows = write(tmp_path, made.file, [made.rows[0], made.without["no answer"]]).read_bytes()
    other = write(tmp_path, "other.json", [{"Frage": "x", "Antwort": "y"}]).read_bytes()
    card = b"---\nconfigs:\n- config_name: en\n  data_files: medical_o1_sft.json\n---\n"
    files = {"README.md": card, made.file: rows}
    strange = {"README.md": card.replace(b"medical_o1_sft", b"other"), "other.json": other}

    def read_any(*names: str, **more: str) -> list[str]:
        env = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "0", **more}
        done = subprocess.run([sys.executable, "-c", ANY_PROGRAM, *names], cwd=ROOT, env=env, text=True,
                              capture_output=True, timeout=120)
        return done.stdout.strip().splitlines()

    with serving(FakeHub({"org/any": files, "org/strange": strange})) as hub:
        known, unknown, missing = read_any("hub:org/any:en", "hub:org/strange:en", "hub:org/none")
        assert known == "rows 1 {'no answer': 1}"
        assert "columns are not recognised (Frage, Antwort)" in unknown and "not on the hub" in missing
    assert read_any("hub:org/any:en", HF_HUB_OFFLINE="1") == ["rows 1 {'no answer': 1}"]
    noted = {"NOTED": "1", "HF_HUB_OFFLINE": "1"}
    known, strange, missing = read_any("hub:org/any:en", "hub:org/strange:en", "hub:org/none", **noted)
    assert known == "rows 1 {'no answer': 1}" and "not recognised" in strange and "not on this machine yet" in missing


def test_a_source_is_here_when_every_file_is_and_not_before(tmp_path):
    source = HubSource("someone/questions", ("data/train-*.jsonl", "test.jsonl"), ()).at(tmp_path)
    (tmp_path / "train-0.jsonl").write_text("{}\n")
    assert not source.is_here()
    (tmp_path / "test.jsonl").write_text("{}\n")
    assert source.is_here() and not HubSource("nobody/none", ("test.jsonl",), ()).is_here()


def test_of_alternatives_one_is_enough(tmp_path: Path) -> None:
    source = HubSource("someone/pairs", ("*.jsonl", "*.parquet"), (), alternatives=True).at(tmp_path)
    assert not source.is_here()
    (tmp_path / "train.parquet").write_bytes(b"")
    assert source.is_here()
