"""Pushing with the real huggingface_hub to a small hub on loopback; and all that keeps a push from happening."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.core.errors import LabError
from lab.export.export import export_variant
from lab.export.push import check_push, push
from tests.export.conftest import Trained
from tests.export.fake_hub import FakeHub, fake_hub


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with fake_hub() as found:
        monkeypatch.setenv("HF_ENDPOINT", found.address)
        monkeypatch.setenv("HF_TOKEN", found.token)
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)  # files then go by LFS
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        yield found


def test_every_file_arrives_as_it_was_written(trained: Trained, tmp_path: Path, hub: FakeHub) -> None:
    done = export_variant(trained.order(tmp_path / "out", push="org/name", private=True))
    assert done.url == f"{hub.address}/org/name"
    written = {file.relative_to(done.folder).as_posix(): file.read_bytes() for file in done.folder.rglob("*")
               if file.is_file()}
    assert hub.files == written and "adapter_model.safetensors" in written
    assert (hub.made[0]["name"], hub.made[0]["organization"]) == ("name", "org")
    assert hub.made[0].get("private") is True or hub.made[0].get("visibility") == "private"
    assert 'MODEL = snapshot_download("org/name")' in done.card  # it carries its base, which is on no hub


def test_nothing_is_sent_without_a_place(trained: Trained, tmp_path: Path, hub: FakeHub) -> None:
    assert export_variant(trained.order(tmp_path / "out")).url is None and not hub.asked


def test_a_missing_token_is_told_before_anything_is_written(
    trained: Trained, tmp_path: Path, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(LabError, match="needs a token.*HF_TOKEN. Nothing was written"):
        export_variant(trained.order(tmp_path / "out", push="org/name"))
    assert not (tmp_path / "out").exists() and not hub.asked


def test_a_token_that_is_refused_leaves_the_export_whole(trained: Trained, tmp_path: Path, hub: FakeHub) -> None:
    hub.token = "hf_another"
    with pytest.raises(LabError, match="the hub did not take org/name.*The export is whole in"):
        export_variant(trained.order(tmp_path / "out", push="org/name"))
    assert (tmp_path / "out" / "README.md").is_file() and not hub.files


def test_a_repository_that_holds_something_is_left_alone(tmp_path: Path, hub: FakeHub) -> None:
    hub.files = {".gitattributes": b"", "model.safetensors": b"somebody's"}
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(LabError, match="holds 1 files already .such as model.safetensors"):
        push(tmp_path, "org/name", False, hub.token)
    assert hub.files["model.safetensors"] == b"somebody's" and "README.md" not in hub.files


def test_a_place_that_is_none_and_a_machine_that_stays_offline_are_refused() -> None:
    for place in ("name", "org/name/more", "org/", "-org/name", "org/na me"):
        with pytest.raises(LabError, match="no place on the hub"):
            check_push(place, {"HF_TOKEN": "x"})
    with pytest.raises(LabError, match="HF_HUB_OFFLINE is set"):
        check_push("org/name", {"HF_TOKEN": "x", "HF_HUB_OFFLINE": "1"})
    assert check_push("org/name", {"HF_TOKEN": " x\n"}) == "x"
