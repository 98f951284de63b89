"""The Models page: variants as a list, one of them whole, its export; health flags wherever a variant is named."""

import json
import time

import pytest

from lab.core.errors import LabError
from lab.core.types import ModelSource
from lab.rating.design import RoundSpec
from lab.ui.app_state import LabApp
from lab.ui.compare.choices import healths, offered
from lab.ui.compare.columns import Column, column_html
from lab.ui.components.health import flag_words, health_figures, health_flag, health_state
from lab.ui.jobs.board import View as JobsView
from lab.ui.jobs.board import look
from lab.ui.jobs.curves import Drawn
from lab.ui.jobs.detail import draw_detail
from lab.ui.models.detail import read_detail
from lab.ui.models.exporting import WantedExport, begin, exports_html, exports_of
from lab.ui.models.listing import PAGE_ROWS, View, filter_choices, read_listing
from lab.ui.pages import results
from lab.ui.ratings.choices import model_choices, read_banks
from lab.ui.ratings.head import head_html
from lab.ui.ratings.listing import Listing
from lab.ui.runs.detail import SampleView
from lab.ui.runs.detail import read_detail as read_run
from lab.ui.runs.listing import View as RunsView
from lab.ui.runs.listing import read_listing as read_runs
from storage.queries.ratings import progress, round_models
from storage.queries.rounds import create_round
from storage.queries.studies import get_variant, health_of, list_variants
from storage.queries.variants import WantedVariants, variant_of
from storage.tables import Job, Variant
from tests.stores import new_store
from tests.ui.seed_store import seed_store

ILL, WELL = "demo-llama_demo-medical_trace_s0", "demo-llama_demo-medical_answer_s0"
AFTER = "demo-llama_trace_ppo_s0"
SENTENCE = "9 of 16 answers never end within 220 tokens"


def check(ok: bool, sentence: str) -> dict:
    return {"value": 0.5, "n": 16, "n_bad": 9, "limit": "at most 5 %", "ok": ok, "sentence": sentence}


HEALTH = {"n": 16, "failed": [SENTENCE], "samples": [], "max_new_tokens": 220, "seconds": 1.0,
          "checks": {"thinking": check(True, "0 of 16 answers do not think"), "ended": check(False, SENTENCE)}}
FINE = {**HEALTH, "failed": [], "checks": {"ended": check(True, "0 of 16 never end")}}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The seeded lab; the trace arm is not well, the answer arm is, and a PPO variant went on from the trace arm."""
    made = new_store(tmp_path_factory.mktemp("home"))
    seed_store(made)
    with made.write() as session:
        for name, health in ((ILL, HEALTH), (WELL, FINE)):
            variant = get_variant(session, name)
            variant.health = health
            job = session.get(Job, variant.job_id)
            job.result = {**job.result, "health": health}
            session.add_all([variant, job])
        job = Job(uid="a" * 12, kind="ppo", name=AFTER, state="succeeded", spec={"base": "demo-llama", "lora_r": 8})
        session.add(job)
        session.flush()
        session.add(Variant(name=AFTER, job_id=job.id, base="demo-llama", dataset="demo-medical", target="trace",
                            kind="ppo", start=f"variant:{ILL}", method="lora", seed=0, folder="nowhere", n_rows=9))
    folder = made.home.absolute(get(made, ILL).folder)
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(b"0" * 2**20)
    (folder / "contract.json").write_text(json.dumps({"template_sha256": "ab" * 32, "thinking_style": "tags",
                                                      "eos": "</s>", "rendered": {"a question": "<s>{x}"}}))
    yield made
    made.close()


def get(store, name: str) -> Variant:
    with store.read() as session:
        return get_variant(session, name)


@pytest.fixture(scope="module")
def app(store, lab) -> LabApp:
    return LabApp(store, lab.settings)


def listed(store, **wanted) -> str:
    return read_listing(store, View(WantedVariants(**wanted))).html


def test_every_variant_stands_in_the_list_with_its_arm_kind_start_results_and_health(store):
    html = listed(store)
    assert all(name in html for name in (ILL, WELL, AFTER))
    assert "PPO · demo-llama" in html and f'href="/models?variant={ILL}"' in html
    assert "n 250" in html and "health: 1 check failed" in html and "✓ healthy" in html and "not examined" in html


def test_the_list_narrows_and_sorts_in_the_store(store):
    assert AFTER in listed(store, kind="ppo") and WELL not in listed(store, kind="ppo")
    assert ILL not in listed(store, target="answer") and WELL in listed(store, target="answer")
    assert "No variant matches" in listed(store, search="no such name")
    names = listed(store, sort="name")
    assert names.index(WELL) < names.index(ILL)
    newest = listed(store)
    assert newest.index(AFTER) < newest.index(f'"/models?variant={WELL}"')
    assert ("PPO", "ppo") in filter_choices(store)["kind"]


def test_many_variants_come_page_by_page(tmp_path):
    made = new_store(tmp_path)
    assert "No variant yet" in read_listing(made, View()).html
    with made.write() as session:
        for number in range(PAGE_ROWS + 3):
            session.add(Job(id=number + 1, uid=f"{number:012d}", kind="sft", name="x"))
            session.flush()
            session.add(Variant(name=f"v{number:03d}", job_id=number + 1, base="b", dataset="d", target="trace",
                                method="lora", seed=0, folder="f"))
    first, second = read_listing(made, View()), read_listing(made, View(page=2))
    assert first.n_pages == 2 and first.html.count("<tr>") == PAGE_ROWS + 1 and second.html.count("<tr>") == 4
    made.close()


def test_one_variant_shows_its_lineage_contract_files_health_and_where_to_go_from_it(store):
    html = read_detail(store, ILL)
    assert "Lineage" in html and f"/recipes?start=variant:{ILL}" in html and f"models=demo-llama,{ILL}" in html
    assert "1.0 MiB" in html and "abababababab" in html and "&#123;x&#125;" in html
    assert SENTENCE in html and f'href="/models?variant={AFTER}"' in html
    assert "kind: sft" in html and "dataset: demo-medical" in html


def test_what_went_on_names_what_it_came_from_in_order_and_says_that_its_weights_are_gone(store):
    html = read_detail(store, AFTER)
    chain = html[html.index("Lineage"):html.index("</ol>")]
    assert chain.index(">base<") < chain.index(ILL) < chain.index(AFTER) and "The weights are gone" in html


def test_a_name_that_is_not_there_is_told_with_the_nearest(store):
    assert f"Did you mean &#x27;{ILL}&#x27;" in read_detail(store, ILL + "x") and read_detail(store, "") == ""


def test_a_flag_says_in_words_how_many_checks_failed_and_is_silent_for_the_healthy():
    assert "health: 1 check failed" in health_flag(HEALTH) and f'title="{SENTENCE}"' in health_flag(HEALTH)
    assert health_flag(FINE) is None and health_flag(None) is None and flag_words(FINE) == ""
    assert flag_words({"failed": ["not examined: no memory"], "checks": {}}) == "health: not examined"
    assert "healthy" in health_state(FINE) and "not examined" in health_state(None)
    assert "limit: at most 5 %" in health_figures(HEALTH) and "health_probes" in health_figures(None)


def test_health_is_read_for_variants_alone(store):
    with store.read() as session:
        assert health_of(session, [ILL, WELL, AFTER, "demo-llama"]) == {ILL: HEALTH, WELL: FINE}
        assert health_of(session, []) == {}


def test_the_flag_stands_wherever_a_variant_is_named(store, app):
    flag = "health: 1 check failed"
    assert flag in dict((name, label) for label, name in offered(store))[ILL] and healths(store, [ILL])[ILL] == HEALTH
    assert flag in read_runs(store, RunsView(), "").html
    with store.read() as session:
        run = next(v for v in list_variants(session)[0] if v.name == ILL)
    number = read_runs(store, RunsView(search=ILL), "").html.split("/benchmarks?run=")[1].split('"')[0]
    assert flag in read_run(store, SampleView(number)).head
    drawn = results._draw(app, "1", "")
    assert "failed their health check" in drawn.blocks[0] and flag in drawn.blocks[-1]
    board = look(store, JobsView(), str(run.job_id), Drawn())
    assert flag in draw_detail(store, board).head


def test_a_column_of_compare_carries_the_flag():
    model = ModelSource(ref=f"variant:{ILL}", label=ILL, base="demo-llama", kind="adapter", folder="x", arm="trace")
    assert "health: 1 check failed" in column_html(Column(model, "0", health=HEALTH))
    assert "health:" not in column_html(Column(model, "0", health=FINE))


def test_a_job_leads_to_the_model_it_left(store):
    with store.read() as session:
        job = session.get(Job, get_variant(session, ILL).job_id)
        assert variant_of(session, f"job:{job.uid}").name == ILL and variant_of(session, AFTER).name == AFTER
        with pytest.raises(LabError, match="no variant"):
            variant_of(session, "job:none")
    board = look(store, JobsView(), str(job.id), Drawn())
    assert f"/models?variant=job:{job.uid}" in draw_detail(store, board).head


def test_researchers_see_the_flag_in_rating_rounds(store):
    bank = read_banks(store)[0]
    labels, _ = model_choices(store, bank)
    assert any("⚠ health: 1 check failed" in label for label, name in labels if name == ILL)
    made = create_round(store, RoundSpec(name="Round", bank=bank.id, models=(WELL, ILL), quota=1))
    with store.read() as session:
        head = head_html(progress(session, made.id), round_models(session, made), health_of(session, {WELL, ILL}))
    assert "health: 1 check failed" in Listing(store).html("") and "health:" in head


def wait_for_export(store, name: str) -> None:
    deadline = time.monotonic() + 120
    while exports_of(store.home, name)[0].state == "running":
        assert time.monotonic() < deadline, exports_of(store.home, name)[0].said
        time.sleep(0.2)


def test_an_export_that_cannot_be_says_why_in_one_sentence(app, store):
    begin(app, WantedExport(AFTER))
    assert exports_of(store.home, AFTER)
    wait_for_export(store, AFTER)
    html = exports_html(store.home, AFTER)
    assert "The export came to nothing" in html and "Traceback" not in html
    second = begin(app, WantedExport(AFTER))
    assert second.name.endswith("-adapter-2")  # what is or was there is not written over
    wait_for_export(store, AFTER)


def test_a_push_without_a_token_starts_nothing(app, store):
    with pytest.raises(LabError, match="HF_TOKEN"):
        begin(app, WantedExport(WELL, repository="me/mine"), {})
    with pytest.raises(LabError, match="ORG/NAME"):
        begin(app, WantedExport(WELL, repository="nowhere"), {"HF_TOKEN": "x"})
    assert not exports_of(store.home, WELL)


def test_the_public_demo_exports_nothing(store, space):
    with pytest.raises(LabError, match="public demo"):
        begin(LabApp(store, space.settings), WantedExport(WELL))
