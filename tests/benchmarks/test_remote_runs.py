"""A benchmark and an answer bank asked of a remote model: the lab's own scripted engine over HTTP stands for it."""

import json

import pytest

from lab.benchmarks.answers import TASK as ANSWERS
from lab.benchmarks.benchmark import benchmarks
from lab.benchmarks.run import TASK
from lab.benchmarks.specs import AnswersSpec, BenchmarkSpec
from lab.core.context import MemoryContext
from lab.core.types import ModelSource
from lab.engine.protocol import EngineClient
from lab.engine.scripted import scripted_engine
from tests.benchmarks.conftest import make_benchmark

GIVEN = {"benchmark": "sums", "max_new_tokens": 200}


@pytest.fixture
def models(monkeypatch):
    """Two remote models, of which 'r-trace' thinks; no base of the lab is loaded."""
    monkeypatch.setitem(benchmarks(), "sums", make_benchmark())
    with scripted_engine() as url:
        found, client = {}, EngineClient(url)
        for name in ("r-trace", "r-plain"):
            client.load(ModelSource(ref=name, label=name, base="scripted", folder="there", kind="adapter"))
            facts = dict(ref=f"remote:{name}", label=name, base=name, kind="remote", url=f"{url}/v1")
            found[f"remote:{name}"] = ModelSource(**facts, remote_model=name)
        client.close()
        yield found


def test_a_remote_model_is_benchmarked_like_any_other(models, tmp_path):
    context = MemoryContext(tmp_path, models=models)
    result = TASK.load()(BenchmarkSpec(model="remote:r-trace", max_questions=5, **GIVEN), context)
    rows = [json.loads(line) for line in (tmp_path / "samples.jsonl").read_text().splitlines()]
    assert result["n"] == len(rows) == 5 and result["model"]["kind"] == "remote"
    assert all(row["think_state"] == "closed" and row["final_text"] for row in rows)


def test_remote_models_fill_an_answer_bank(models, tmp_path):
    context = MemoryContext(tmp_path, models=models)
    result = ANSWERS.load()(AnswersSpec(name="b", models=tuple(models), n_questions=4, **GIVEN), context)
    rows = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()]
    assert result["n_questions"] == 4 and len(rows) == 8
    assert {row["model_ref"] for row in rows} == set(models) and all(row["shown_text"] for row in rows)
