"""`ask`, `serve` and `endpoints` from the command line, against scripted engines behind real HTTP."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs import engines
from jobs.cli import answering, asking, engine_serving
from jobs.cli.answering import watch
from jobs.cli.commands import main, parser
from lab.core.errors import LabError
from lab.core.types import ModelSource
from lab.engine.adapt import AdaptationReport, Neighbour
from lab.engine.protocol import ChatRequest, Chunk, EngineClient, Stats
from lab.engine.scripted import scripted_engine
from storage.database import Store, open_store
from storage.queries.endpoints import EndpointPlan, add_endpoint
from storage.tables import Endpoint, Job
from tests.stores import new_store
from tests.ui.seed_store import seed_store

TRACE, ANSWER = "demo-llama_demo-medical_trace_s0", "demo-llama_demo-medical_answer_s0"


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose store is that of a busy lab; each test gets a copy."""
    home = tmp_path_factory.mktemp("seeded")
    store = new_store(home)
    seed_store(store)
    store.close()
    return home


@pytest.fixture
def store(seeded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("LAB_HOME", str(tmp_path))
    monkeypatch.delenv("LAB_DATABASE_URL", raising=False)
    monkeypatch.setattr(asking, "spawn_worker", lambda settings: None)
    monkeypatch.setattr(engine_serving, "spawn_worker", lambda settings: None)
    shutil.copytree(seeded, tmp_path, dirs_exist_ok=True)
    return open_store(home=tmp_path)


@pytest.fixture
def engine(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    """A running engine job of demo-llama with a scripted engine behind its address."""
    with scripted_engine("demo-llama") as url:
        job = Job(uid="e-demo", kind="engine", name="engine", state="running", facts={"url": url},
                  spec={"base": "demo-llama", "backend": "lab", "precision": "auto"})
        with store.write() as session:
            session.add(job)
        monkeypatch.setattr(engines, "ensure_engine", lambda store, base: job)
        yield job


@pytest.fixture
def remote(store: Store) -> Iterator[str]:
    """A scripted engine that is no job: known by an endpoint only."""
    with scripted_engine("far") as url:
        with store.write() as session:
            add_endpoint(session, EndpointPlan("big", url, "far"))
        yield url


def test_answers_come_in_the_order_asked_with_their_figures(engine: Job, capsys) -> None:
    assert main(["ask", "How much?", f"variant:{TRACE}", "demo-llama", "--thinking"]) == 0
    said = capsys.readouterr().out
    assert said.index(f"## {TRACE}") < said.index("## demo-llama\n") and said.count("## ") == 2
    assert "[thinking]" in said and "tokens/s" in said and "eos" in said


def test_models_are_asked_at_once(engine: Job, monkeypatch, capsys) -> None:
    """Each waits until the other has come, so one after another would never end."""
    both = threading.Barrier(2, timeout=20)
    chunks = answering.Answering._chunks

    def together(self) -> Iterator[Chunk]:
        both.wait()
        return chunks(self)

    monkeypatch.setattr(answering.Answering, "_chunks", together)
    assert main(["ask", "How much?", f"variant:{TRACE}", "demo-llama"]) == 0


def test_every_option_reaches_the_engine(engine: Job, monkeypatch, capsys) -> None:
    heard: list[ChatRequest] = []
    stream = EngineClient.stream
    monkeypatch.setattr(EngineClient, "stream", lambda self, request: heard.append(request) or stream(self, request))
    options = ["--temperature", "0.7", "--top-p", "0.9", "--seed", "5", "--stop", "END", "--stop", "FIN", "--system",
               "Be brief.", "--max-new-tokens", "64", "--min-think", "4", "--max-think", "8", "--answer-prefix", "So:",
               "--adapt", "random", "--adapt-dataset", "demo-medical", "--adapt-neighbours", "2", "--adapt-steps", "3",
               "--adapt-learning-rate", "0.01", "--adapt-scope", "full"]
    assert main(["ask", "How much?", f"variant:{TRACE}", *options]) == 0
    (asked,) = heard
    assert [message["content"] for message in asked.messages] == ["Be brief.", "How much?"]
    assert (asked.temperature, asked.top_p, asked.seed, asked.stop, asked.max_new_tokens) == (
        0.7, 0.9, 5, ("END", "FIN"), 64)
    assert (asked.budget.min_tokens, asked.budget.max_tokens, asked.budget.answer_prefix) == (4, 8, "So:")
    adapt = asked.adapt
    assert (adapt.mode, adapt.dataset, adapt.neighbours, adapt.steps, adapt.learning_rate, adapt.scope, adapt.seed) == (
        "random", "demo-medical", 2, 3, 0.01, "full", 5)
    assert "[random]" in capsys.readouterr().out


def test_all_wrong_options_are_told_at_once(store: Store, capsys) -> None:
    assert main(["ask", "x", "demo-llama", "--top-p", "0", "--temperature", "9", "--adapt", "nearest"]) == 2
    said = capsys.readouterr().err
    assert "top_p: " in said and "temperature: " in said and "adapt_dataset: is required" in said
    assert main(["ask", "x", "demo-llama", "--min-think", "9", "--max-think", "8"]) == 2
    assert main(["ask", "x", "demo-llama", "--adapt", "random", "--adapt-dataset", "demo-medicl"]) == 2
    assert "Did you mean 'demo-medical'" in capsys.readouterr().err


def test_one_that_fails_does_not_keep_the_others_from_answering(engine: Job, store: Store, capsys) -> None:
    with store.write() as session:
        session.add(Endpoint(name="gone", url="http://127.0.0.1:9/v1", model="m"))
    assert main(["ask", "How much?", "remote:gone", "demo-llama", "--json"]) == 1
    answers = json.loads(capsys.readouterr().out)
    assert "no endpoint answers" in answers["gone"]["error"] and answers["demo-llama"]["final_text"]


def test_a_remote_model_needs_no_worker_and_no_engine(remote: str, monkeypatch, capsys) -> None:
    monkeypatch.setattr(asking, "spawn_worker", lambda settings: pytest.fail("no worker is needed"))
    assert main(["ask", "How much?", "remote:big", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["big"]["final_text"]


STATS = Stats(think_text="hm", final_text="Yes.", think_state="closed", finish_reason="eos", n_prompt_tokens=3,
              n_think_tokens=1, n_answer_tokens=2, seconds=0.5)


class _Said:
    """An answering that has said what it is given."""

    def __init__(self, *chunks: Chunk):
        self.source, self._chunks = ModelSource(ref="m", label="m", base="m"), chunks

    def __iter__(self) -> Iterator[Chunk]:
        return iter(self._chunks)


SPOKEN = (Chunk("note", "warming up"), Chunk("thinking", "hm"), Chunk("answer", "Ye"), Chunk("answer", "s."))


@pytest.mark.parametrize(("thinking", "shown"), [
    (True, "## m\n[thinking]\nhm\n[answer]\nYes.\n"), (False, "## m\nYes.\n"),
])
def test_on_a_terminal_words_are_shown_as_they_come(thinking: bool, shown: str, capsys) -> None:
    assert watch(_Said(*SPOKEN, Chunk("end", stats=STATS)), live=True, thinking=thinking) == STATS
    assert capsys.readouterr().out == shown


def test_an_answer_that_turns_out_to_have_been_thought_is_shown_again(capsys) -> None:
    watch(_Said(*SPOKEN, Chunk("end", stats=STATS.model_copy(update={"final_text": "No."}))), True, False)
    assert capsys.readouterr().out.endswith("the answer is]\nNo.\n")


def test_in_a_pipe_nothing_is_shown_before_the_end(capsys) -> None:
    watch(_Said(*SPOKEN, Chunk("end", stats=STATS)), live=False, thinking=True)
    with pytest.raises(LabError, match="broke"):
        watch(_Said(*SPOKEN, Chunk("error", "it broke")), live=False, thinking=True)
    assert capsys.readouterr().out == ""


def test_what_a_model_was_adapted_to_is_told() -> None:
    near = Neighbour(id="q7", dataset="demo", question="How  old?", reply="x", similarity=0.5)
    report = AdaptationReport(mode="nearest", neighbours=(near,), loss_before=2, loss_after=1, seconds=0.25)
    said = asking.adapted_words(STATS.model_copy(update={"adaptation": report}))
    assert said == "[nearest] demo q7 (similarity 0.50): How old?\nloss 2.000 → 1.000 in 0.2 s"


def test_serve_finds_the_engine_loads_the_models_and_prints_the_address(engine: Job, capsys) -> None:
    assert main(["serve", "demo-llama", f"variant:{TRACE}"]) == 0
    said = capsys.readouterr()
    assert said.out == f"{engine.facts['url']}/v1\n  demo-llama\n  {TRACE}\n"
    assert f"cancel {engine.id}" in said.err
    assert main(["serve", "demo-llama", "--json", "--idle", "60"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["job"] == engine.id and {"label": TRACE} in told["models"]


def test_serve_starts_another_engine_for_another_precision(engine: Job, store: Store, monkeypatch, capsys) -> None:
    waited: list[Job] = []
    monkeypatch.setattr(engine_serving, "_wait_for_url", lambda store, job: waited.append(job) or engine.facts["url"])
    for options in (["--precision", "fp32"], ["--precision", "bf16", "--idle", "33"]):
        assert main(["serve", "demo-llama", *options]) == 0
    first, second = waited
    assert engine.id not in (first.id, second.id) and first.spec["precision"] == "fp32"
    assert (second.spec["precision"], second.spec["idle_timeout_s"], second.priority) == ("bf16", 33, first.priority)


def test_an_engine_that_cannot_start_is_told_with_its_reason(store: Store, monkeypatch, capsys) -> None:
    job = Job(uid="e-dead", kind="engine", name="engine", state="failed", message="no memory",
              spec={"base": "demo-llama"})
    with store.write() as session:
        session.add(job)
    monkeypatch.setattr(engine_serving, "ensure_engine", lambda *_: job)
    assert main(["serve", "demo-llama"]) == 1
    assert "failed: no memory (python -m jobs logs" in capsys.readouterr().err


@pytest.mark.parametrize(("options", "says"), [
    (["--port", "80"], "goes with --here"), (["--precision", "8bit"], "precision: "),
    (["--backend", "ollama"], "backend: "), (["--here", "--backend", "vllm"], "leave it off"),
    ([f"variant:{TRACE}x"], "Did you mean"), (["demo-qwen2"], "stands on demo-qwen2"),
    (["--idle", "0"], "idle_timeout_s: "),
])
def test_what_cannot_be_served_is_refused(store: Store, options: list[str], says: str, capsys) -> None:
    assert main(["serve", "demo-llama", *options]) == 2
    assert says in capsys.readouterr().err


def test_endpoints_are_added_listed_checked_and_removed(remote: str, capsys) -> None:
    assert main(["endpoints", "add", "near", remote, "--model", "nobody", "--key-env", "NEAR_KEY"]) == 0
    assert main(["endpoints"]) == 0
    assert "remote:near" in (said := capsys.readouterr().out) and "NEAR_KEY" in said and f"{remote}/v1" in said
    assert main(["endpoints", "--json"]) == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)] == ["big", "near"]
    assert main(["endpoints", "check", "remote:big"]) == 0 and "serves far" in capsys.readouterr().out
    assert main(["endpoints", "check", "near"]) == 1 and "NEAR_KEY" in capsys.readouterr().err
    assert main(["endpoints", "remove", "near"]) == 0 and main(["endpoints", "remove", "near"]) == 2


def test_an_endpoint_that_serves_another_model_names_those_it_has(remote: str, capsys) -> None:
    assert main(["endpoints", "add", "near", remote, "--model", "nobody"]) == 0
    assert main(["endpoints", "check", "near"]) == 1
    assert "no model 'nobody'. It serves: far" in capsys.readouterr().err


def test_a_key_on_the_command_line_is_refused_and_not_printed(store: Store, capsys) -> None:
    assert main(["endpoints", "add", "big", "http://h/v1", "--model", "m", "--key-env", "sk-secret123"]) == 2
    said = capsys.readouterr()
    assert "looks like a key itself" in said.err and "secret123" not in said.out + said.err


def test_help_of_these_commands_needs_no_torch() -> None:
    code = ("import sys; from jobs.cli.commands import main\n"
            "try: main(['ask', '--help'])\nexcept SystemExit: pass\n"
            "import jobs.cli.asking, jobs.cli.engine_serving, jobs.cli.endpoints, jobs.cli.comparisons\n"
            "sys.exit('torch' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL).returncode == 0
    assert parser().parse_args(["ask", "q", "m"]).max_new_tokens == 128
