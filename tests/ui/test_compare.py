"""The Compare page: what it offers and starts with, waiting for an engine, settings, picking a question."""

from __future__ import annotations

import pytest

from jobs import engines
from jobs.engines import Engines, waiting_words
from lab.bases.cards import bases
from lab.core.errors import LabError
from lab.core.settings import Settings
from lab.core.types import Example
from lab.engine.scripted import scripted_engine
from lab.ui.app_state import LabApp
from lab.ui.compare import questions
from lab.ui.compare.choices import known_names, offered, sources, starting_models
from lab.ui.compare.settings import AskSettings, of_address, of_plain, of_widgets, settings_words, widget_values
from lab.ui.compare.wiring_asking import N_SETTINGS
from lab.ui.pages import compare
from storage.queries.endpoints import EndpointPlan, add_endpoint
from storage.tables import Job
from tests.benchmarks.conftest import make_benchmark
from tests.stores import new_store
from tests.ui.seed_store import seed_store

TRACE, ANSWER = "demo-llama_demo-medical_trace_s0", "demo-llama_demo-medical_answer_s0"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = new_store(tmp_path_factory.mktemp("lab"))
    seed_store(store)
    yield store
    store.close()


@pytest.fixture(autouse=True)
def two_bases(monkeypatch):
    """The page needs names of bases, not their weights: one that is here, and one that is not."""
    absent = bases()["demo-qwen2"].model_copy(update={"name": "demo-qwen", "path": "nowhere"})
    cards = {"demo-qwen": absent, "demo-llama": bases()["demo-llama"]}
    monkeypatch.setattr("lab.ui.compare.choices.bases", lambda: cards)


def test_the_page_starts_with_the_newest_whole_pair_and_its_base(store):
    assert starting_models(store) == ["demo-llama", ANSWER, TRACE]


def test_every_base_and_every_variant_is_offered(store):
    labels = dict((name, label) for label, name in offered(store))
    assert {"demo-llama", "demo-qwen", TRACE, ANSWER} <= set(labels)
    assert labels[TRACE].startswith("▲") and labels["demo-llama"].startswith("●")


def test_a_base_whose_files_are_not_here_is_offered_last_and_says_so(store):
    assert offered(store)[-1] == ("● demo-qwen (base, not on this machine)", "demo-qwen")


def test_an_unknown_model_in_the_address_gets_a_sentence_with_the_nearest_name(store):
    good, faults = known_names(store, ["demo-llama", TRACE + "x"])
    assert good == ["demo-llama"]
    assert f"Did you mean '{TRACE}'" in faults[0]


def add_engine(store, base, **columns):
    with store.write() as session:
        values = {"uid": f"e-{base}"[:12], "name": f"engine of {base}", "spec": {"base": base}}
        job = Job(kind="engine", lane="chat", **values, **columns)
        session.add(job)
        session.flush()
    return job


def test_the_client_comes_as_soon_as_the_engine_answers(store, monkeypatch):
    with scripted_engine("demo-llama") as url:
        job = add_engine(store, "demo-llama", state="running", facts={"url": url})
        monkeypatch.setattr(engines, "ensure_engine", lambda store, base: job)
        client = Engines(store).connect("demo-llama", lambda note: None, lambda: False)
        assert client.health()["base"] == "demo-llama"
        client.close()


def test_an_engine_that_failed_says_why_and_where_its_log_is(store, monkeypatch):
    job = add_engine(store, "demo-qwen", state="failed", reason="memory", message="out of memory")
    monkeypatch.setattr(engines, "ensure_engine", lambda store, base: job)
    with pytest.raises(LabError, match=f"out of memory.*/jobs.id={job.id}"):
        Engines(store).connect("demo-qwen", lambda note: None, lambda: False)


def test_waiting_says_when_no_worker_is_there_and_what_the_engine_does():
    job = Job(uid="u", kind="engine", name="e", state="queued")
    assert "No worker is running" in waiting_words(job, 0, 3)
    assert "queued" in waiting_words(job, 1, 3)
    job.state, job.progress_text, job.progress_done, job.progress_total = "running", "loading weights", 1, 4
    assert "loading weights 25" in waiting_words(job, 1, 3)


def test_sources_know_the_folder_and_the_arm_of_a_variant(store):
    source, = sources(store, [TRACE])
    assert (source.label, source.arm, source.kind, source.base) == (TRACE, "trace", "adapter", "demo-llama")
    assert source.folder.startswith(str(store.home))


def test_a_remote_model_is_offered_and_asked_by_its_reference(tmp_path):
    store = new_store(tmp_path)
    with store.write() as session:
        add_endpoint(session, EndpointPlan("big", "http://gpu:8000/v1", "org/big-70b"))
    assert ("● big (remote)", "remote:big") in offered(store)
    assert known_names(store, ["remote:big"]) == (["remote:big"], [])
    assert known_names(store, ["remote:bog"])[0] == []
    source, = sources(store, ["remote:big"])
    assert (source.kind, source.url, source.remote_model) == ("remote", "http://gpu:8000/v1", "org/big-70b")
    store.close()


@pytest.fixture
def toy_benchmark(monkeypatch):
    rows = [Example(id=f"q{i}", question=f"What is {i} + 1? <b>", answer=f"It is {i + 1}.", gold=str(i + 1),
                    subject="sums" if i % 2 else "more sums") for i in range(40)]
    monkeypatch.setattr(questions, "benchmarks", lambda: {"toy": make_benchmark(lambda: rows, name="toy")})
    monkeypatch.setattr(questions, "examples", lambda name: {row.id: row for row in rows})


def test_questions_are_found_by_all_words(toy_benchmark):
    assert questions.find("toy", "17")[1] == 1
    assert questions.find("toy", "more what")[1] == 20
    assert "12 of 40 questions" in questions.question_list("toy", "")
    assert "No question holds" in questions.question_list("toy", "nonsense")
    assert "<b>" not in questions.question_list("toy", "17")


def test_the_gold_answer_is_offered_only_while_the_question_is_the_benchmarks_own(toy_benchmark):
    assert "Show the gold answer" in questions.gold_html("toy", "q3", " What is 3 + 1? <b> ")
    assert questions.gold_html("toy", "q3", "What is 3 + 2?") == ""
    assert questions.gold_html("toy", "nothing", "x") == questions.gold_html("", "", "x") == ""


def test_a_dataset_that_is_here_gives_questions_and_one_that_is_not_is_not_offered():
    offered_sources = [source for _, source in questions.sources()]
    assert "dataset:demo-general" in offered_sources and "demo-medical" in offered_sources
    found, total = questions.find("dataset:demo-general", "")
    assert len(found) == 12 and total == 2400
    absent = [name for name, card in questions.datasets().items() if card.hub is not None]
    assert absent and not {f"dataset:{name}" for name in absent} & set(offered_sources)


def test_a_source_that_nobody_has_is_said_in_words():
    assert "Nothing is chosen" in questions.question_list("dataset:nonsense", "")
    assert questions.picked("../etc", "passwd") is None


@pytest.mark.parametrize("space", [False, True])
def test_the_page_builds_in_both_modes_and_can_always_ask(store, tmp_path, space):
    import gradio as gr

    env = {"SPACE_ID": "x/y"} if space else {}
    with gr.Blocks() as demo:
        compare.build(LabApp(store, Settings.from_env(env | {"LAB_HOME": str(tmp_path)})))
    buttons = {b.value: b for b in demo.blocks.values() if isinstance(b, gr.Button)}
    assert buttons["Ask"].interactive is not False
    assert [b.value for b in buttons.values() if b.variant == "primary"] == ["Ask"], "one primary action"


def test_settings_from_an_address_are_held_inside_their_bounds():
    assert of_address("9", "abc", "-3") == AskSettings(256, 2.0, 0)
    assert of_address(None, "64", "7") == AskSettings(64, 0.0, 7)


WIDGETS = [0.7, 0.9, 3, 512, 20, 200, "Final Answer:", "nearest", "demo-general", 2, 4, 1e-4, "full", "all"]


def test_settings_survive_the_widgets_and_the_store():
    assert len(WIDGETS) == N_SETTINGS
    settings = of_widgets(WIDGETS)
    assert (settings.budget.min_tokens, settings.budget.max_tokens) == (20, 200)
    assert (settings.budget.answer_prefix, settings.adapt.loss_on) == ("Final Answer:", "all")
    assert (settings.adapt.mode, settings.adapt.neighbours, settings.adapt.scope) == ("nearest", 2, "full")
    assert widget_values(settings) == WIDGETS
    assert of_plain(settings.plain()) == settings
    assert of_plain({"temperature": 0.5, "budget": {"nonsense": 1}}) == AskSettings()


def test_settings_that_do_not_fit_together_are_refused_with_one_sentence():
    with pytest.raises(LabError, match="least thinking .300"):
        of_widgets([*WIDGETS[:4], 300, 200, *WIDGETS[6:]])
    with pytest.raises(LabError, match="Choose the dataset"):
        of_widgets([*WIDGETS[:8], None, *WIDGETS[9:]])
    assert of_widgets([0, 1, 0, 256, None, None, None, "none", None, 1, 1, 1e-3, "lora", "completion"]) == AskSettings()


def test_settings_are_said_in_a_line():
    assert settings_words(AskSettings()) == "greedy · ≤\u202f256\u202ftokens"
    words = settings_words(of_widgets(WIDGETS))
    assert "T\u202f0.7, top-p 0.9 · seed 3" in words and "thinks 20 to 200" in words and "nearest of demo-g" in words
