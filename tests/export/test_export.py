"""Exports of a real tiny adapter: what is written, what is refused, and that others can load it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lab.core.errors import LabError
from lab.engine._hf import GenerationOptions, LoadedBase
from lab.export.export import export_variant
from tests.engine.tiny import question
from tests.export.conftest import Trained


def _said_by_the_lab(trained: Trained, asked: str) -> str:
    engine = LoadedBase(trained.card)
    engine.load(trained.source)
    chats = [[{"role": "user", "content": asked}]]
    return engine.generate_batch(trained.source.label, chats, GenerationOptions(max_new_tokens=60))[0].raw_text


def _said_by_the_snippet(folder: Path, asked: str) -> str:
    """The card's own lines with another question, in a process that knows nothing of the lab."""
    code = re.search(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)[1]
    assert "lab" not in re.findall(r"(?:from|import) (\w+)", code)
    code, n = re.subn(r'"content": ".*?"', f'"content": "{asked}"', code)
    assert n == 1
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=folder, capture_output=True, text=True, timeout=180,
        env={"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HOME": str(folder.parent), "PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n")


@pytest.mark.parametrize("merged", [False, True], ids=["adapter", "merged"])
def test_the_cards_snippet_says_what_the_labs_engine_says(trained: Trained, tmp_path: Path, merged: bool) -> None:
    done = export_variant(trained.order(tmp_path / "out", merged=merged))
    asked = question(3, 4)
    lab, others = _said_by_the_lab(trained, asked), _said_by_the_snippet(done.folder, asked)
    assert lab == "<think>\n3+4=7\n</think>\nAnswer: 7"
    assert others.removesuffix("<|end|>") == lab


def test_merged_logits_are_those_of_the_adapter_and_the_base_is_untouched(trained: Trained, tmp_path: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    before = {file.name: file.read_bytes() for file in Path(trained.card.location()).iterdir()}
    done = export_variant(trained.order(tmp_path / "out", merged=True))
    assert {file.name: file.read_bytes() for file in Path(trained.card.location()).iterdir()} == before
    base = AutoModelForCausalLM.from_pretrained(trained.card.location())
    merged = AutoModelForCausalLM.from_pretrained(done.folder).eval()
    ids = torch.arange(40)[None]  # (1, T)
    with torch.inference_mode():
        alone = base.eval()(ids).logits.clone()
        adapted = PeftModel.from_pretrained(base, trained.source.folder).eval()(ids).logits
        assert torch.allclose(merged(ids).logits, adapted, atol=1e-4, rtol=1e-4)
        assert not torch.allclose(alone, adapted, atol=1e-1)
    assert done.kind == "merged" and not list(done.folder.glob("adapter_*"))


def test_a_base_published_in_bfloat16_is_merged_and_written_in_bfloat16(trained: Trained, tmp_path: Path) -> None:
    """The sum is rounded once: nearer to the exact sum than peft's own merge, which rounds twice."""
    import shutil

    import torch
    from peft import PeftModel
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM

    half = tmp_path / "half"
    shutil.copytree(trained.card.location(), half)
    AutoModelForCausalLM.from_pretrained(half).to(torch.bfloat16).save_pretrained(half)
    card = trained.card.model_copy(update={"path": str(half)})
    done = export_variant(Trained(card, trained.source).order(tmp_path / "out", merged=True))
    written = load_file(done.folder / "model.safetensors")
    assert {value.dtype for value in written.values()} == {torch.bfloat16}
    adapter = trained.source.folder
    exact = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(half, dtype=torch.float32), adapter)
    exact = exact.merge_and_unload().state_dict()
    plain = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(half, dtype="auto"), adapter)
    plain = plain.merge_and_unload().state_dict()
    mine, theirs = (sum(float((weights[name].float() - exact[name]).norm()) for name in written)
                    for weights in (written, plain))
    assert 0 < mine <= theirs and all(torch.equal(written[name], exact[name].bfloat16()) for name in written)


def test_an_adapter_of_another_base_is_refused(trained: Trained, tmp_path: Path) -> None:
    from tests.training.tiny import build_base

    other = trained.card.model_copy(update={"path": str(build_base(tmp_path / "other"))})
    with pytest.raises(LabError):
        export_variant(Trained(other, trained.source).order(tmp_path / "out", merged=True))
    assert not (tmp_path / "out").exists()


def test_an_adapter_export_holds_what_loads_it_and_no_path_of_this_machine(trained: Trained, tmp_path: Path) -> None:
    config = Path(trained.source.folder) / "adapter_config.json"
    assert str(trained.card.location()) in config.read_text()  # as this one was saved
    done = export_variant(trained.order(tmp_path / "out"))
    names = {file.relative_to(done.folder).as_posix() for file in done.folder.rglob("*") if file.is_file()}
    assert {"README.md", "adapter_config.json", "adapter_model.safetensors", "contract.json", "tokenizer.json",
            "base/config.json", "base/model.safetensors"} <= names
    assert not {"spec.json", "metrics.jsonl"} & names  # the job's own: a path of this machine is in one of them
    assert json.loads((done.folder / "adapter_config.json").read_text())["base_model_name_or_path"] == "tiny"
    for file in done.folder.rglob("*"):
        if file.suffix in (".json", ".md", ".jinja"):
            assert str(tmp_path) not in file.read_text() and str(trained.card.location()) not in file.read_text(), file
    assert (done.kind, done.url) == ("adapter", None) and done.n_bytes > 10_000
    assert done.card == (done.folder / "README.md").read_text()


def test_exporting_an_adapter_loads_no_torch(trained: Trained, tmp_path: Path) -> None:
    import pickle

    (tmp_path / "order").write_bytes(pickle.dumps(trained.order(tmp_path / "out")))
    code = ("import pickle, sys; from lab.export.export import export_variant\n"
            f"export_variant(pickle.load(open({str(tmp_path / 'order')!r}, 'rb'))); assert 'torch' not in sys.modules")
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2], timeout=180)
    assert (tmp_path / "out" / "README.md").is_file()


def test_a_folder_that_holds_something_is_refused_and_left_alone(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("precious")
    with pytest.raises(LabError, match="not empty.*Nothing was written"):
        export_variant(trained.order(tmp_path / "out"))
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["thesis.tex"]


def test_an_empty_folder_is_taken(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert export_variant(trained.order(tmp_path / "out")).folder == tmp_path / "out"


def test_another_template_than_the_one_it_was_trained_through_is_refused(trained: Trained, tmp_path: Path) -> None:
    file = Path(trained.card.location()) / "chat_template.jinja"
    kept = file.read_text() if file.exists() else None
    assert kept is not None
    try:
        file.write_text(kept.replace("<|user|>", "<|user|> ").replace("<|{{ m.role }}|>", "<|{{ m.role }}|> "))
        with pytest.raises(LabError, match="another chat template"):
            export_variant(trained.order(tmp_path / "out"))
    finally:
        file.write_text(kept)
    assert not (tmp_path / "out").exists()


def test_a_tokenizer_beside_the_weights_that_was_changed_is_refused(trained: Trained, tmp_path: Path) -> None:
    """The base's is in order, but those who load the export would get the other one."""
    file = Path(trained.source.folder) / "chat_template.jinja"
    file.write_text(file.read_text().replace("<|end|>", ""))
    with pytest.raises(LabError, match="tokenizer beside the weights of 'm.trace' is not the one"):
        export_variant(trained.order(tmp_path / "out"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["trained"]


def test_a_contract_of_another_variant_is_refused(trained: Trained, tmp_path: Path) -> None:
    source = trained.source.model_copy(update={"template_sha": "0" * 64})
    with pytest.raises(LabError, match="recorded with"):
        export_variant(Trained(trained.card, source).order(tmp_path / "out"))


def test_a_failure_half_way_leaves_nothing(trained: Trained, tmp_path: Path) -> None:
    weights = Path(trained.source.folder) / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])  # a disk that was full when it was copied
    with pytest.raises(LabError, match="cannot be merged into base 'tiny'"):
        export_variant(trained.order(tmp_path / "out", merged=True))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["trained"]


def test_weights_that_are_gone_are_named(trained: Trained, tmp_path: Path) -> None:
    (Path(trained.source.folder) / "adapter_model.safetensors").unlink()
    with pytest.raises(LabError, match="weights of 'm.trace' are not in"):
        export_variant(trained.order(tmp_path / "out"))


def test_a_full_variant_is_copied_as_it_is(trained: Trained, tmp_path: Path) -> None:
    whole = export_variant(trained.order(tmp_path / "whole", merged=True)).folder
    source = trained.source.model_copy(update={"folder": str(whole), "kind": "full"})
    done = export_variant(Trained(trained.card, source).order(tmp_path / "out", merged=True))
    assert done.kind == "full"
    assert (done.folder / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert _said_by_the_snippet(done.folder, question(3, 4)).startswith("<think>\n3+4=7")


def test_merged_weights_that_answer_otherwise_would_be_given_up() -> None:
    import torch

    from lab.export._merge import _check

    logits = torch.randn(1, 8, 32, generator=torch.Generator().manual_seed(0))
    _check(logits, logits * (1 + 1e-6), torch.float32, "merged")
    for wrong in (logits * 1.01, logits * float("nan")):
        with pytest.raises(LabError, match="answer otherwise than the base with its adapter"):
            _check(logits, wrong, torch.float32, "merged")
