"""A folder or a hub id is a base as good as a card; what is neither gets the nearest name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lab.bases.cards import HERE, bases
from lab.bases.resolving import check_base_name
from lab.core.errors import LabError, UnknownName

DEMO = HERE / "demo" / "demo-qwen2"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of an embedded base under another name, as somebody's own model."""
    return Path(shutil.copytree(DEMO, tmp_path / "My Model"))


def test_a_folder_is_a_base_with_what_its_files_say(folder: Path):
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    card = bases()[str(folder)]
    known = bases()["demo-qwen2"]
    assert (card.family, card.parameters, card.context_tokens) == ("qwen2", known.parameters, known.context_tokens)
    assert card.license == "mit" and card.location() == str(folder) and card.label == "My-Model"
    assert bases()[card.name] == card, "its name finds it again"
    assert str(folder) not in bases() and len(bases()) == len(list(bases()))
    assert check_base_name("base", str(folder)) == []


def test_a_folder_may_be_said_from_here_or_from_home(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HOME", str(folder.parent))
    assert bases()["./My Model"].name == bases()["~/My Model"].name == str(folder)


def test_a_folder_that_holds_no_base_says_what_it_holds(tmp_path: Path, folder: Path):
    def sentence(name: Path) -> str:
        with pytest.raises(LabError) as caught:
            bases()[str(name)]
        assert check_base_name("base", str(name))[0].message == str(caught.value)
        return str(caught.value)

    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}")
    assert "there is no folder" in sentence(tmp_path / "gone")
    assert "holds a LoRA adapter, not a base" in sentence(tmp_path / "adapter")
    (folder / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    assert "is of family 'gpt2': the lab trains llama, qwen2, qwen3" in sentence(folder)
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"}))
    assert "cannot be read as that of a base" in sentence(folder)
    (folder / "config.json").unlink()
    assert "holds no config.json" in sentence(folder)


def test_a_mistyped_name_gets_the_nearest_and_the_other_forms():
    with pytest.raises(UnknownName, match="Did you mean 'demo-llama'"):
        bases()["demo-lama"]
    [fault] = check_base_name("bases.1", "demo-lama")
    assert fault.field == "bases.1" and "Did you mean 'demo-llama'" in fault.message and "hub id" in fault.message


def test_a_hub_id_is_checked_without_asking_the_hub(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert check_base_name("base", "org/model-that-is-not-in-the-cache@v1") == []
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    [fault] = check_base_name("base", "org/model-that-is-not-in-the-cache")
    assert "HF_HUB_OFFLINE is set" in fault.message


@pytest.mark.parametrize("name", ["", "lab", "a b/c", "org/model/more", "variant:x"])
def test_what_is_neither_folder_nor_hub_id_is_an_unknown_name(name: str):
    with pytest.raises(UnknownName):
        bases()[name]
