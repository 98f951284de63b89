"""Automatic figures of a round's texts: each text once, perplexity as it is defined, and only the rest after a stop."""

from __future__ import annotations

import json
from math import exp

import pytest
import torch

from lab.core.context import MemoryContext, Stopped
from lab.core.errors import SpecError
from lab.core.spec import load_spec
from lab.core.types import ModelSource
from lab.engine.warming import warm_engine
from lab.rating.measuring import TASK, MeasureSpec, measure_version, plain_measures, to_weigh
from lab.rating.perplexity import perplexities
from lab.rating.round_texts import UnitTexts, text_key
from lab.rating.text_measures import text_measures
from tests.rating.texts_of_a_round import REF, write

BASE = "demo-llama"
QUESTION = "What is 12 plus 30?"
UNITS = [
    UnitTexts("u1", "q1", QUESTION, "Answer: 42", "The sum is 42. Answer: 42"),
    UnitTexts("u2", "q2", "What is 40 plus 2?", "Answer: 42", "..."),
    UnitTexts("u3", "q3", QUESTION, "forty two " * 400),
]


@pytest.fixture(scope="module")
def engine():
    return warm_engine(ModelSource(ref=BASE, label=BASE, base=BASE))


def of(engine, *asked):
    return dict(pair for batch in perplexities(engine, BASE, asked, 2) for pair in batch)


def _by_hand(engine, ids: list[int], n_before: int) -> float:
    """From the logits of transformers itself."""
    model = engine._weights.base
    with torch.inference_mode():
        logits = model(torch.tensor([ids])).logits[0, :-1].float().log_softmax(-1)
    own = logits[torch.arange(len(ids) - 1), torch.tensor(ids[1:])][n_before - 1:]
    return exp(-own.mean().item())


def test_perplexity_is_that_of_the_models_own_logits(engine):
    text = "The sum is 42."
    found = of(engine, ("", text), (QUESTION, text))
    first = engine.tokenizer.bos_token_id
    own = engine.tokenizer(text, add_special_tokens=False)["input_ids"]
    assert found[0] == pytest.approx(_by_hand(engine, [first, *own], 1), rel=1e-3)
    chat = engine.encode([{"role": "user", "content": QUESTION}])
    suffix = engine.closed_thought(BASE)
    before = chat + engine.tokenizer(suffix, add_special_tokens=False)["input_ids"]
    whole = chat + engine.tokenizer(suffix + text, add_special_tokens=False)["input_ids"]
    assert found[1] == pytest.approx(_by_hand(engine, whole, len(before)), rel=1e-3)


def test_what_the_base_has_learnt_to_write_surprises_it_less_than_broken_text(engine):
    found = of(engine, (QUESTION, "Answer: 42"), (QUESTION, "42 :Answer swerAn"))
    assert found[0] < found[1]


def test_a_text_without_words_or_too_long_has_none_and_the_others_of_its_batch_have_theirs(engine):
    found = of(engine, ("", "Answer: 42"), ("", "word " * 3000), ("", "  \n"))
    assert found[1] is None and found[2] is None
    assert found[0] == pytest.approx(of(engine, ("", "Answer: 42"))[0])


def test_each_different_text_is_measured_once_and_weighed_after_each_of_its_questions():
    found = plain_measures(UNITS, "en")
    names = text_measures("x", "en")
    assert len(found) == 4 * len(names) and len({(one.text_sha, one.name) for one in found}) == len(found)
    assert {one.value for one in found if one.text_sha == text_key("Answer: 42") and one.name == "words"} == {2}
    asked = to_weigh(UNITS)
    assert asked.count(("", "Answer: 42")) == 1 and len(asked) == 4 + 5
    assert (QUESTION, "Answer: 42") in asked and ("What is 40 plus 2?", "Answer: 42") in asked


def test_another_model_is_another_measure():
    one, other = (ModelSource(ref=ref, label="a", base=BASE) for ref in ("variant:a", "variant:b"))
    assert measure_version(one) == measure_version(one) != measure_version(other)


def rows(context):
    return [json.loads(line) for line in (context.folder / "measures.jsonl").read_text().splitlines()]


def test_a_round_is_measured_and_after_a_stop_only_the_rest(tmp_path):
    context = MemoryContext(tmp_path / "out", files={REF: write(tmp_path, UNITS)}, stop=True)
    spec = MeasureSpec(units=REF, model=BASE, batch_size=4)
    with pytest.raises(Stopped, match="4 of 9 texts are kept"):
        TASK.load()(spec, context)
    kept = (context.checkpoints.folder / "rows.jsonl").read_text()
    context.stop = False
    result = TASK.load()(spec, context)
    found = rows(context)
    assert kept in (context.checkpoints.folder / "rows.jsonl").read_text()
    assert result["n_texts"] == 4 and len(found) == 4 * 4 + 9
    weighed = {(row["text_sha"], row["name"]): row["value"] for row in found if row["name"].startswith("perplexity")}
    assert weighed[text_key("Answer: 42"), f"perplexity:{BASE}"] > 1
    assert weighed[text_key("Answer: 42", QUESTION), f"perplexity-after-question:{BASE}"] > 1
    assert weighed[text_key(UNITS[2].text_a), f"perplexity:{BASE}"] is None
    assert result["n_without"] == sum(row["value"] is None for row in found)


def test_without_a_model_none_is_loaded(tmp_path):
    context = MemoryContext(tmp_path / "out", files={REF: write(tmp_path, UNITS)})
    result = TASK.load()(MeasureSpec(units=REF), context)
    assert result["model"] is None and len(rows(context)) == 16 and not context.progress_calls


@pytest.mark.parametrize(("values", "fault"), [
    ({"units": "job:1"}, "round:<uid>"), ({"units": REF, "model": "remote:x"}, "likelihoods are not asked for"),
    ({"units": REF, "model": "demo-lama"}, "demo-llama"),
])
def test_a_wrong_spec_is_refused_with_what_to_write(values, fault):
    with pytest.raises(SpecError) as caught:
        load_spec(MeasureSpec, values)
    assert fault in str(caught.value)
