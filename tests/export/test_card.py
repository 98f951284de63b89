"""The card: the hub's header, and every figure with what it needs to be read."""

from __future__ import annotations

import dataclasses

import yaml

from lab.bases.cards import bases
from lab.energy.account import Place, account
from lab.export.card import card, licence
from lab.export.licences import strictest
from lab.export.order import Against, Data, Facts, Result, Stage
from lab.export.snippet import Loading
from tests.energy.readings import KNOWN, reading

BASE = bases()["qwen2.5-0.5b-instruct"]
SPEC = {"base": BASE.name, "dataset": "s1k-1.1", "method": "lora", "quantisation": "4bit", "learning_rate": 1e-4}
STAGE = Stage("v", "sft", "trace", (Data("s1k-1.1", "mit", "simplescaling/s1K-1.1", "simplescaling/s1K-1.1"),), 900,
              100, SPEC, account([reading()], KNOWN, Place("CHE")))
FACTS = Facts(
    name="v", base=BASE, weights="adapter", style="s1", template_sha="f" * 64, stages=(STAGE,), job="abc",
    results=(Result("medqa", "1", 300, 0.597, 0.54, 0.651, 3, 2, {"max_new_tokens": 128}),),
    against=(Against("medqa", 300, 0.593, 0.532, 0.646, 1e-9), Against("mmlu", refused="different seed: 0 and 1")),
    health={"n": 16, "failed": ["3 of 16 answers never end within 128 tokens"], "checks": {}},
    provenance={"code": {"revision": "f3a9", "dirty": True}, "packages": {"torch": "2.13.0"}, "machine": {"host": "x"}},
)
ON_HUB = Loading("org/v", False, BASE, False, (151643, 151645))


def _header(text: str) -> dict:
    return yaml.safe_load(text.split("---\n")[1])


def test_the_header_is_what_the_hub_reads() -> None:
    assert _header(card(FACTS, ON_HUB)) == {
        "license": "apache-2.0", "language": ["en"], "library_name": "peft", "pipeline_tag": "text-generation",
        "base_model": "Qwen/Qwen2.5-0.5B-Instruct", "base_model_relation": "adapter",
        "datasets": ["simplescaling/s1K-1.1"], "tags": ["trace-lab", "reasoning", "medical", "sft", "trace"],
    }


def test_the_header_is_one_that_huggingface_hub_accepts() -> None:
    from huggingface_hub import ModelCard

    found = ModelCard(card(FACTS, ON_HUB)).data
    assert (found.license, found.base_model, found.library_name) == ("apache-2.0", "Qwen/Qwen2.5-0.5B-Instruct", "peft")


def test_a_base_that_is_on_no_hub_is_not_named_in_the_header_as_if_it_were() -> None:
    base = bases()["demo-llama"]
    header = _header(card(dataclasses.replace(FACTS, base=base), Loading(".", False, base, True, (1,))))
    assert "base_model" not in header and header["library_name"] == "peft"


def test_results_stand_with_n_interval_and_what_could_not_be_compared() -> None:
    text = card(FACTS, ON_HUB)
    assert "| medqa (1) | 300 | 59.7 % | 54.0 % to 65.1 % | 3 | 2 | max_new_tokens 128 |" in text
    assert "medqa, this − base: +59.3 points (95 % interval +53.2 to +64.6, paired on 300 questions" in text
    assert "mmlu, this − base: not compared, different seed: 0 and 1" in text
    assert "Not benchmarked yet." in card(dataclasses.replace(FACTS, results=(), against=()), ON_HUB)


def test_a_failed_health_check_is_bold_and_an_unexamined_variant_says_so() -> None:
    assert "**a check failed.**\n- 3 of 16 answers never end" in card(FACTS, ON_HUB)
    assert "Not examined after training." in card(dataclasses.replace(FACTS, health=None), ON_HUB)


def test_energy_has_its_range_its_method_and_the_source_of_the_range() -> None:
    text = card(FACTS, ON_HUB)
    assert "0.24 kWh (0.12 to 0.49)" in text and "estimated from the CPU's TDP" in text and "Fahad et al. 2019" in text
    bare = dataclasses.replace(FACTS, stages=(dataclasses.replace(STAGE, energy=None),))
    assert "- v: not metered" in card(bare, ON_HUB)


def test_four_bit_training_dropped_rows_style_and_limits_are_told() -> None:
    text = card(FACTS, ON_HUB)
    assert "trained on the base held in 4 bits and is loaded here on the base as it was published" in text
    merged = card(FACTS, dataclasses.replace(ON_HUB, whole=True))
    assert "held in 4 bits and is merged into the base as it was published" in merged
    assert "900 rows trained on, 100 dropped" in text
    assert "`<|im_start|>think`" in text and "Not for clinical use" in text and "with changes that were not" in text


def test_every_stage_and_its_data_are_told() -> None:
    first = dataclasses.replace(STAGE, name="first", data=(Data("m", "gpl-3.0", "a/b", "a/b"),), spec={"epochs": 7})
    facts = dataclasses.replace(FACTS, stages=(first, STAGE))
    text = card(facts, ON_HUB)
    assert "### Stage 1: first" in text and "### Stage 2: v" in text and "| epochs | 7 |" in text
    assert licence(facts).id == "gpl-3.0" and _header(text)["datasets"] == ["a/b", "simplescaling/s1K-1.1"]


def test_the_strictest_licence_is_taken_and_open_or_clashing_ones_are_other() -> None:
    assert strictest([("base", "apache-2.0"), ("data", "mit")]).id == "apache-2.0"
    assert strictest([("base", "apache-2.0"), ("data", "gpl-3.0")]).id == "gpl-3.0"
    assert strictest([("base", "llama3.1"), ("data", "cc-by-4.0")]).id == "llama3.1"
    clash = strictest([("base", "llama3.1"), ("data", "gpl-3.0")])
    assert clash.id == "other" and "gpl-3.0 and llama3.1" in clash.why
    unknown = strictest([("base", "mit"), ("m1k", "not stated on the hub")])
    assert unknown.id == "other" and "licence of m1k" in unknown.why


def test_every_licence_of_the_labs_own_bases_is_known() -> None:
    found = [(name, strictest([(name, base.license)]).id) for name, base in bases().items()]
    assert found and not [pair for pair in found if pair[1] == "other"]
