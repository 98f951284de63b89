"""What an engine is expected to take of a GPU."""

import pytest

from lab.bases.cards import BaseCard, bases
from lab.bases.shape import Shape
from lab.core.errors import LabError
from lab.engine.memory import OVERHEAD_MIB, estimate, needs
from lab.engine.service import TASK
from lab.engine.specs import EngineSpec

# Llama 3.1 8B, config.json: 32 layers, 8 of 32 heads for keys and values.
SHAPE = Shape(hidden=4096, layers=32, heads=32, kv_heads=8, head_dim=128, inner=14336, vocabulary=128256, tied=False)


@pytest.fixture
def eight(monkeypatch):
    card = BaseCard(name="eight", title="8B", family="llama", hub_id="a/b", license="x", parameters=8_030_261_248,
                    context_tokens=131072, shape=SHAPE)
    monkeypatch.setitem(bases(), "eight", card)
    return "eight"


def test_the_parts_of_an_eight_billion_base_worked_by_hand(eight):
    told = estimate(EngineSpec(base=eight, precision="bf16", max_new_tokens=1024))
    assert told.weights == 15317  # 8.03e9 x 2 bytes
    assert told.cache == 2 * 32 * 1024 * 8 * 2048 * 2 // 2**20 == 2048  # K and V, layers, width, rows, tokens, bytes
    assert told.total == told.weights + told.adapters + told.cache + told.passing + OVERHEAD_MIB


def test_fewer_bits_take_less_and_a_short_context_keeps_less(eight, monkeypatch):
    four, half, full = (estimate(EngineSpec(base=eight, precision=p)) for p in ("4bit", "bf16", "fp32"))
    assert four.weights < half.weights / 2 < half.weights < full.weights == pytest.approx(2 * half.weights, abs=1)
    short = bases()[eight].model_copy(update={"context_tokens": 512})
    monkeypatch.setitem(bases(), eight, short)
    assert estimate(EngineSpec(base=eight, precision="bf16")).cache < half.cache


def test_an_engine_of_an_unknown_shape_may_start_all_the_same(monkeypatch):
    card = BaseCard(name="dark", title="?", family="llama", hub_id="nobody/nothing", license="x", parameters=1,
                    context_tokens=8)
    monkeypatch.setitem(bases(), "dark", card)
    with pytest.raises(LabError, match="config.json is not on this machine"):
        estimate(EngineSpec(base="dark"))
    assert (needs(EngineSpec(base="dark")).memory_mib, needs(EngineSpec(base="dark")).lane) == (0, "chat")


@pytest.mark.skipif(TASK.needs(EngineSpec(base="demo-llama")).memory_mib == 0, reason="the task does not ask yet")
def test_the_job_of_an_engine_asks_for_what_is_estimated():
    spec = EngineSpec(base="demo-llama")
    assert TASK.needs(spec).memory_mib == estimate(spec).total
