"""The Results page of a curriculum: its stages in order, with links, state, accuracy and health."""

import pytest

from lab.studies.curriculum import CurriculumSpec
from lab.ui.pages.results import _draw
from lab.ui.results.stages import read_stages
from storage.tables import BenchmarkRun, BenchmarkSample, Job, Study, Variant
from tests.stores import new_store

SPEC = {"name": "Two stages", "base": "demo-llama", "benchmarks": ["demo-medical"], "stages": [
    {"name": "sft", "settings": {"dataset": "demo-medical", "target": "trace"}},
    {"name": "ppo", "kind": "ppo", "settings": {"dataset": "demo-medical"}},
]}
ILL = {"n": 16, "failed": ["9 of 16 answers never end"], "checks": {"ended": {}}}


@pytest.fixture
def store(tmp_path):
    """The first stage has ended and was measured, the second waits."""
    made = new_store(tmp_path)
    spec = CurriculumSpec.model_validate(SPEC)
    with made.write() as session:
        session.add(Study(id=1, name=spec.name, kind="curriculum", spec=spec.as_dict()))
        session.flush()
        session.add(Job(id=1, uid="a" * 12, kind="sft", name=spec.variant_name(0), state="succeeded", study_id=1))
        session.add(Job(id=2, uid="b" * 12, kind="ppo", name=spec.variant_name(1), state="queued", study_id=1))
        for number, name in ((3, "demo-llama"), (4, spec.variant_name(0))):
            session.add(Job(id=number, uid=f"{number:012d}", kind="benchmark", name=f"demo-medical on {name}",
                            state="succeeded", study_id=1, spec_sha=name))
        session.flush()
        session.add(Variant(id=1, name=spec.variant_name(0), job_id=1, study_id=1, base="demo-llama", health=ILL,
                            dataset="demo-medical", target="trace", method="lora", seed=0, folder="x"))
        session.flush()
        for number, name, arm, n_right in ((1, "demo-llama", "base", 5), (2, spec.variant_name(0), "trace", 40)):
            session.add(BenchmarkRun(
                id=number, job_id=number + 2, study_id=1, benchmark="demo-medical", benchmark_version="1", run_key=name,
                model_label=name, base="demo-llama", arm=arm, variant_id=1 if arm == "trace" else None))
            session.flush()
            session.add_all(BenchmarkSample(
                run_id=number, item_id=f"q{index}", question="?", gold="1", raw_text="1", think_text="", final_text="1",
                think_state="none", finish_reason="eos", n_prompt_tokens=1, n_think_tokens=0, n_answer_tokens=1,
                parsed="1", rule="r", correct=index < n_right, seconds=0.1) for index in range(50))
    yield made
    made.close()


class App:
    """All that the drawing reads."""

    def __init__(self, store):
        self.store = store


def test_the_stages_stand_in_their_order_with_state_and_accuracy(store):
    html = _draw(App(store), "1", "").blocks[0]
    stages = html[html.index("Two stages: 2 stages on demo-llama"):html.index("</section>")]
    places = [stages.index(words) for words in ("where it begins", "two-stages_sft_s0", ">ppo<")]
    assert places == sorted(places)
    assert "/jobs?id=2" in stages and "queued" in stages and "/models?variant=two-stages_sft_s0" in stages
    assert "80.0" in stages and "10.0" in stages and "n 50" in stages
    assert "health: 1 check failed" in stages


def test_a_grid_has_no_stages(store):
    with store.write() as session:
        session.add(Study(id=2, name="grid"))
    with store.read() as session:
        assert read_stages(session, 2) is None and read_stages(session, 1) is not None


def test_the_page_is_drawn_again_when_a_stage_has_moved_on(store):
    token = _draw(App(store), "1", "").token
    assert not _draw(App(store), "1", token).blocks
    with store.write() as session:
        job = session.get(Job, 2)
        job.state = "running"
        session.add(job)
    assert _draw(App(store), "1", token).blocks
