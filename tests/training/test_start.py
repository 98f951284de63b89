"""Where a run begins: what it goes on from, what is trained, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from lab.bases.cards import bases
from lab.core.context import MemoryContext
from lab.core.errors import LabError, SpecError
from lab.core.spec import load_spec
from lab.core.types import ModelSource
from lab.engine._hf import GenerationOptions, LoadedBase
from lab.engine.contract import FILE, read_contract
from lab.training._start import begin, load_policy
from lab.training._trl import train_sft
from lab.training._weights import count_parameters
from lab.training.specs import SftSpec

QUICK = {"base": "tiny", "dataset": "sums", "target": "trace", "batch_size": 16, "micro_batch_size": 16, "max_steps": 3,
         "learning_rate": 5e-3, "lora_r": 4, "lora_alpha": 8, "health_probes": 0}
PROMPT = "What is 30 plus 12?"


def spec(**values) -> SftSpec:
    return load_spec(SftSpec, {**QUICK, **values})


def trained(folder: Path, *sources: ModelSource, **values) -> ModelSource:
    """A variant called by its folder's name, trained from `sources[0]` if there is one."""
    folder.mkdir(parents=True)
    start = {"start": sources[0].ref} if sources else {}
    result = train_sft(spec(**values, **start), MemoryContext(folder, models={each.ref: each for each in sources}))
    return ModelSource(ref=f"variant:{folder.name}", label=folder.name, base="tiny", folder=str(folder),
                       kind=result["weights"], arm="trace", thinking_style=result["thinking_style"],
                       template_sha=result["template_sha"])


def knowing(folder: Path, source: ModelSource) -> MemoryContext:
    return MemoryContext(folder, models={source.ref: source})


@pytest.fixture
def adapter(tiny, tmp_path) -> ModelSource:
    return trained(tmp_path / "adapter")


def logits(model, tiny) -> torch.Tensor:
    tokenizer = AutoTokenizer.from_pretrained(tiny.location())
    with torch.no_grad():
        return model.eval()(input_ids=torch.tensor([tokenizer.encode(PROMPT)]), use_cache=False).logits


def plain(tiny, source: ModelSource):
    """The variant as transformers and peft read it, without the lab."""
    if source.kind == "full":
        return AutoModelForCausalLM.from_pretrained(source.folder)
    return PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny.location()), source.folder)


@pytest.mark.parametrize(("values", "kind"), [
    ({}, "adapter"), ({"lora_variant": "rslora"}, "adapter"), ({"lora_variant": "dora"}, "adapter"),
    ({"method": "full"}, "full"),
])
def test_a_run_goes_on_from_exactly_what_its_start_has_learned(tiny, tmp_path, values, kind):
    source = trained(tmp_path / "first", **values)
    assert source.kind == kind
    settings = spec(start=source.ref, **values)
    model = load_policy(begin(settings, knowing(tmp_path, source)), settings)
    assert torch.equal(logits(model, tiny), logits(plain(tiny, source), tiny))
    assert count_parameters(model)[0] > 0
    second = trained(tmp_path / "second", source, **values)
    assert not torch.allclose(logits(plain(tiny, second), tiny), logits(plain(tiny, source), tiny), atol=1e-4)


def test_an_adapter_trained_on_a_start_of_full_weights_is_merged_into_them(tiny, tmp_path):
    start = trained(tmp_path / "full", method="full")
    settings = spec(start=start.ref)
    begun = begin(settings, knowing(tmp_path, start))
    assert begun.weights(settings) == "full" and isinstance(load_policy(begun, settings), PeftModel)
    second = trained(tmp_path / "second", start)
    assert second.kind == "full" and not (Path(second.folder) / "adapter_config.json").exists()
    assert not torch.allclose(logits(plain(tiny, second), tiny), logits(plain(tiny, start), tiny), atol=1e-4)
    third = trained(tmp_path / "third", second, learning_rate=1e-9)  # in the same weights, next to nothing learned
    assert torch.allclose(logits(plain(tiny, third), tiny), logits(plain(tiny, second), tiny), atol=1e-4)


def test_the_result_names_the_start_and_its_weights(tiny, tmp_path, adapter):
    (tmp_path / "next").mkdir()
    context = MemoryContext(tmp_path / "next", models={adapter.ref: adapter})
    found = train_sft(spec(start=adapter.ref), context)["inputs"]
    assert found["start"] == "variant:adapter" and len(found["start_sha256"]) == 64


@pytest.mark.parametrize(("values", "message"), [
    ({"method": "full"}, "method: 'adapter' is an adapter, and full fine-tuning .* export it merged"),
    ({"lora_r": 8}, "lora_r: the adapter of 'adapter' has 4: set 4"),
    ({"lora_alpha": 9}, "lora_alpha: the adapter of 'adapter' has 8: set 8"),
    ({"lora_variant": "dora"}, "lora_variant: the adapter of 'adapter' has plain: set plain"),
    ({"thinking_style": "s1"}, "thinking_style: 'adapter' was taught to mark its thinking in style 'tags': use auto"),
])
def test_a_spec_that_contradicts_its_start_is_refused_field_by_field(tiny, tmp_path, adapter, values, message):
    with pytest.raises(SpecError, match=message):
        begin(spec(start=adapter.ref, **values), knowing(tmp_path, adapter))


def test_all_contradictions_are_told_at_once(tiny, tmp_path, adapter):
    other = adapter.model_copy(update={"base": "demo-llama"})
    with pytest.raises(SpecError) as caught:
        begin(spec(start=adapter.ref, lora_r=8, thinking_style="s1"), knowing(tmp_path, other))
    assert [fault.field for fault in caught.value.faults] == ["start", "thinking_style", "lora_r"]
    assert "stands on base 'demo-llama', not on 'tiny'" in str(caught.value)


def test_a_start_whose_folder_is_gone_is_a_sentence(tiny, tmp_path, adapter):
    gone = adapter.model_copy(update={"folder": str(tmp_path / "gone")})
    with pytest.raises(LabError, match="does not exist; was its job deleted") as caught:
        begin(spec(start=gone.ref), knowing(tmp_path, gone))
    assert caught.value.reason == "dependency"


def test_a_run_in_which_nothing_would_be_trained_is_refused(tiny, tmp_path, monkeypatch):
    monkeypatch.setitem(bases(), "tiny", tiny.model_copy(update={"lora_targets": ("nowhere_proj",)}))
    with pytest.raises(LabError, match=r"nothing would be trained: .* \('nowhere_proj',\). Correct lora_targets"):
        train_sft(spec(), MemoryContext(tmp_path))


def test_dropout_is_the_specs_and_not_the_starts(tiny, tmp_path, adapter):
    settings = spec(start=adapter.ref, lora_dropout=0.5)
    model = load_policy(begin(settings, knowing(tmp_path, adapter)), settings)
    rates = {module.p for name, module in model.named_modules() if "lora_dropout.default" in name}
    assert rates == {0.5}


def test_the_same_seed_draws_the_same_adapter_and_another_seed_another(tiny, tmp_path):
    drawn = []
    for seed in (1, 1, 2):
        settings = spec(seed=seed)
        model = load_policy(begin(settings, MemoryContext(tmp_path)), settings)
        drawn.append(torch.cat([p.flatten() for p in model.parameters() if p.requires_grad]))
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])


def test_a_variant_taught_another_style_is_read_in_that_style_and_its_base_in_its_own(tiny, tmp_path):
    """From training to the engine: the contract carries the style."""
    source = trained(tmp_path / "huatuo", thinking_style="headings", method="full", max_steps=40, epochs=9)
    assert read_contract(source.folder)["thinking_style"] == "headings"
    engine = LoadedBase(tiny)
    engine.load(source)
    assert [engine._weights.loaded(label).style for label in ("huatuo", "tiny")] == ["headings", "tags"]
    asked = [[{"role": "user", "content": "What is 10 plus 20?"}]]
    (said,) = engine.generate_batch("huatuo", asked, GenerationOptions(max_new_tokens=80))
    assert said.raw_text.startswith("## Thinking\n\n")
    if said.think_state == "closed":
        assert "##" not in said.think_text + said.final_text and said.final_text


def test_an_engine_refuses_a_variant_whose_base_now_writes_its_chats_otherwise(tiny, tmp_path, adapter):
    engine = LoadedBase(tiny)
    engine._weights.tokenizer.chat_template = engine._weights.tokenizer.chat_template.replace("<|{{", "<{{")
    with pytest.raises(LabError, match="trained through another chat template .* a question was written"):
        engine.load(adapter)


def test_an_engine_loads_a_variant_from_before_there_were_contracts(tiny, tmp_path, adapter, caplog):
    (Path(adapter.folder) / FILE).unlink()
    old = adapter.model_copy(update={"thinking_style": None, "template_sha": ""})
    engine = LoadedBase(tiny)
    engine.load(old)
    assert "adapter" in engine.labels() and "has no template contract" in caplog.text
