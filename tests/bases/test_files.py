"""Every way in which a base's files are not to be had ends in a sentence with what to do."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lab.bases.cards import HERE, bases
from lab.bases.files import explained, is_here, missing_files
from lab.core.errors import LabError
from tests.bases.fake_hub import COMMIT, hub

DEMO = HERE / "demo" / "demo-llama"
# In a process of its own: the hub's client reads its environment when it is imported.
ASK = """
import json, sys
from lab.bases.cards import bases
from lab.bases.tokenizers import open_tokenizer
from lab.core.errors import LabError

for name in json.loads(sys.argv[1]):
    try:
        card = bases()[name]
        tokenizer = open_tokenizer(card)
        answer = {"revision": card.revision, "label": card.label, "ids": tokenizer("12 + 30")["input_ids"]}
    except LabError as error:
        answer = {"reason": error.reason, "sentence": str(error)}
    print("ANSWER", json.dumps(answer))
assert "torch" not in sys.modules
"""


def ask(names: list[str], home: Path, **environment: str) -> list[dict]:
    keep = {key: os.environ[key] for key in ("PATH", "HOME", "PYTHONPATH") if key in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", ASK, json.dumps(names)], env={**keep, "HF_HOME": str(home), **environment},
        capture_output=True, text=True, timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line[7:]) for line in done.stdout.splitlines() if line.startswith("ANSWER ")]


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    names = ["llama-3.1-8b", "org/waiting", "org/nobody", "org/old@v9", "org/gguf"]
    with hub({}) as (address, _):
        answers = ask(names, tmp_path_factory.mktemp("hub"), HF_ENDPOINT=address)
    return dict(zip(names, answers, strict=True))


def test_a_gated_base_names_the_licence_page_the_token_and_a_stand_in(refused):
    answer = refused["llama-3.1-8b"]
    assert answer["reason"] == "data"
    for part in ("is gated", "https://huggingface.co/meta-llama/Llama-3.1-8B", "HF_TOKEN", "hf auth login",
                 "https://huggingface.co/settings/tokens", "or use 'qwen2.5-7b-instruct'"):
        assert part in answer["sentence"], part


def test_a_gated_base_that_was_asked_for_says_to_wait_and_not_to_log_in(refused):
    sentence = refused["org/waiting"]["sentence"]
    assert "is gated" in sentence and "wait until access is granted" in sentence and "HF_TOKEN" not in sentence


def test_an_unknown_model_asks_for_the_spelling(refused):
    answer = refused["org/nobody"]
    assert answer["reason"] == "spec"
    assert "the hub has no model 'org/nobody', or it is private: check the spelling" in answer["sentence"]


def test_an_unknown_revision_and_a_repository_that_is_no_model_say_so(refused):
    assert "'org/old' has no revision 'v9'" in refused["org/old@v9"]["sentence"]
    assert "'org/gguf' has no config.json" in refused["org/gguf"]["sentence"]


def test_a_hub_id_is_a_base_pinned_to_the_commit_that_was_read_and_read_again_without_the_hub(tmp_path):
    with hub({"org/My-Model": DEMO}) as (address, asked):
        [online] = ask(["org/My-Model"], tmp_path, HF_ENDPOINT=address)
        assert online["revision"] == COMMIT and online["label"] == "My-Model"
        assert any("tokenizer.json" in line for line in asked)
    [offline] = ask(["org/My-Model"], tmp_path, HF_HUB_OFFLINE="1")
    assert offline == online
    from transformers import AutoTokenizer

    assert online["ids"] == AutoTokenizer.from_pretrained(DEMO)("12 + 30")["input_ids"]


def test_without_internet_the_sentence_says_how_to_bring_the_files_and_what_is_here(tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"  # nobody listens
        [unreachable] = ask(["qwen2.5-0.5b-instruct"], tmp_path, HF_ENDPOINT=address)
    [offline] = ask(["meditron3-8b"], tmp_path, HF_HUB_OFFLINE="1")
    assert "the hub cannot be reached" in unreachable["sentence"]
    assert "HF_HUB_OFFLINE is set" in offline["sentence"]
    for answer, hub_id in ((unreachable, "Qwen/Qwen2.5-0.5B-Instruct"), (offline, "EPFLiGHT/Meditron3-8B")):
        assert f"`hf download {hub_id} --local-dir FOLDER`" in answer["sentence"]
        assert answer["sentence"].endswith("; or use 'demo-qwen2', which is here")


def test_a_full_disk_says_how_much_room_is_needed():
    try:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as cause:
            raise RuntimeError("while downloading") from cause
    except RuntimeError as error:
        card = bases()["llama-3.1-8b"]
        found = explained(error, str(card.hub_id), card.revision, card)
    assert found.reason == "disk" and "about 15 GiB" in str(found) and "HF_HOME" in str(found)


def test_files_that_cannot_be_read_are_a_sentence(tmp_path):
    from lab.bases.tokenizers import open_tokenizer

    (tmp_path / "tokenizer.json").write_text("{broken")
    card = bases()["demo-llama"].model_copy(update={"path": str(tmp_path)})
    with pytest.raises(LabError, match="files of base 'demo-llama' in .* cannot be read"):
        open_tokenizer(card)


def test_a_missing_folder_is_told_from_a_missing_download():
    demo = bases()["demo-llama"].model_copy(update={"path": "demo/gone"})
    own = demo.model_copy(update={"name": "/models/gone", "path": "/models/gone"})
    assert "build it again" in str(missing_files(demo)) and "no folder /models/gone" in str(missing_files(own))
    assert not is_here(demo) and is_here(bases()["demo-llama"])
