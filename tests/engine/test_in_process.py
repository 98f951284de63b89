"""The engine inside the web process: the same client, and ZeroGPU's lending stood in for by a fake `spaces`."""

import inspect
import pickle
import subprocess
import sys
from types import SimpleNamespace

import pytest

from lab.bases.cards import BaseCard, bases
from lab.core.errors import LabError, UnknownName
from lab.core.settings import Settings
from lab.core.types import ModelSource
from lab.engine._zero_gpu import MOST_S, lent_answer, seconds
from lab.engine.adapt import Adaptation
from lab.engine.in_process import InProcess, in_process, prepare
from lab.engine.loaded_bases import LoadedBases, answering
from lab.engine.protocol import ChatRequest, EngineClient
from lab.engine.scripted import ScriptedBackend

QUESTION = [{"role": "user", "content": "two and two?"}]


class FakeSpaces:
    """`spaces`: what a decorated function gets and yields is pickled, as between two processes."""

    def __init__(self, refuses=None):
        self.durations, self.refuses = [], refuses

    def GPU(self, duration):
        def decorate(task):
            assert inspect.isgeneratorfunction(task)

            def handler(*args):
                args = pickle.loads(pickle.dumps(args))
                self.durations.append(duration(*args))
                if self.refuses:
                    raise self.refuses
                for value in task(*args):
                    yield pickle.loads(pickle.dumps(value))

            return handler

        return decorate


@pytest.fixture
def opened(monkeypatch):
    """The scripted backends that were opened, by base; 'one', 'two' and 'three' are bases."""
    for name in ("one", "two", "three"):
        monkeypatch.setitem(bases(), name, BaseCard(
            name=name, title=name, family="llama", path="none", license="x", parameters=1, context_tokens=64))
    return []


def scripted(opened):
    def open_base(base, precision):
        backend = ScriptedBackend(base=base)
        opened.append((base, precision, backend))
        return backend

    return LoadedBases(open_base, most=2)


def here(opened):
    loaded = scripted(opened)
    return InProcess(loaded, answering(loaded), lent=False)


def lent(opened, spaces):
    loaded = scripted(opened)
    return InProcess(loaded, lent_answer(answering(loaded), spaces), lent=True)


def variant(tmp_path, label="v.trace", base="one"):
    return ModelSource(ref=label, label=label, base=base, folder=str(tmp_path), kind="adapter", arm="trace")


def said(client, label):
    chunks = list(client.stream(ChatRequest(label, QUESTION)))
    return chunks, "".join(chunk.text for chunk in chunks if chunk.kind == "answer")


def public(cls):
    return {name: list(inspect.signature(member).parameters) for name, member in vars(cls).items()
            if callable(member) and not name.startswith("_")}


def test_both_clients_have_the_same_methods(opened):
    from lab.engine.in_process import InProcessClient

    assert public(InProcessClient) == public(EngineClient)


def test_a_base_and_a_variant_answer_without_any_engine_process(opened, tmp_path):
    client = here(opened).client("one")
    client.load(variant(tmp_path))
    chunks, answer = said(client, "v.trace")
    assert answer.endswith("Answer: 3") and chunks[-1].stats.think_state == "closed"
    assert said(client, "one")[1].startswith("The scripted answer of one")
    assert client.health()["models"] == ["one", "v.trace"] and client.health()["busy"] == 0
    assert [model["label"] for model in client.models()] == ["one", "v.trace"]
    client.unload("v.trace")
    with pytest.raises(UnknownName, match="v.trace"):
        said(client, "v.trace")
    assert len(opened) == 1


def test_the_first_word_says_that_the_base_is_loaded(opened):
    place = here(opened)
    assert said(place.client("one"), "one")[0][0].text == "loading one"
    assert [chunk.kind for chunk in said(place.client("one"), "one")[0]].count("note") == 0


def test_the_base_that_was_asked_longest_ago_leaves_memory(opened):
    place = here(opened)
    for base in ("one", "two", "one", "three"):
        said(place.client(base), base)
    assert [base for base, _, _ in opened] == ["one", "two", "three"]
    assert place.loaded.has("one", "auto") and not place.loaded.has("two", "auto")


def test_another_precision_is_another_model_in_memory(opened):
    place = here(opened)
    for precision in ("auto", "4bit", "auto"):
        said(place.client("one", precision), "one")
    assert [precision for _, precision, _ in opened] == ["auto", "4bit"]


def test_on_zero_gpu_nothing_is_loaded_before_the_gpu_is_lent(opened, tmp_path):
    spaces = FakeSpaces()
    client = lent(opened, spaces).client("one")
    client.load(variant(tmp_path))
    assert not opened and client.models()[1] == {"label": "v.trace", "kind": "adapter", "identity": None}
    chunks, answer = said(client, "v.trace")
    assert answer.endswith("Answer: 3") and [base for base, _, _ in opened] == ["one"]
    assert opened[0][2].labels() == ["one", "v.trace"]
    said(client, "one")
    assert len(spaces.durations) == 2 and len(opened) == 1  # one call for each answer; the base stays


def test_the_gpu_is_asked_for_longer_answers_longer_but_never_too_long():
    def asked(**fields):
        return seconds("one", "auto", None, ChatRequest("one", QUESTION, **fields))

    assert asked(max_new_tokens=64) < asked(max_new_tokens=512) <= asked(max_new_tokens=32768) == MOST_S
    shown, trained = (asked(adapt=Adaptation(mode=mode, steps=10)) for mode in ("context", "nearest"))
    assert shown == asked() < trained


@pytest.mark.parametrize("make", [here, lambda opened: lent(opened, FakeSpaces())])
def test_an_error_crosses_as_its_own_sentence(opened, make):
    client = make(opened).client("one")
    with pytest.raises(LabError, match="asked to fail"):
        list(client.stream(ChatRequest("one", [{"role": "user", "content": "[fail]"}])))
    assert client.health()["busy"] == 0


def test_a_refusal_of_the_lender_is_told_in_its_own_words(opened):
    refusal = Exception()
    refusal.message = "You have exceeded your ZeroGPU quota. Try again in 0:10:00."
    client = lent(opened, FakeSpaces(refuses=refusal)).client("one")
    with pytest.raises(LabError, match="lender.*exceeded your ZeroGPU quota"):
        said(client, "one")


def test_a_reader_that_leaves_stops_the_answer(opened):
    place = here(opened)
    stopped = []
    backend = SimpleNamespace(submit=lambda request, tell: (tell_many(tell), lambda: stopped.append(True))[1])
    place.loaded._open = lambda base, precision: backend
    chunks = place.client("one").stream(ChatRequest("one", QUESTION))
    assert next(chunks).kind == "note" and next(chunks).text == "a"
    assert place.busy == 1
    chunks.close()
    assert stopped == [True] and place.busy == 0


def tell_many(tell):
    from lab.engine.protocol import Chunk

    for text in "abc":
        tell(Chunk("answer", text))


def test_a_model_that_cannot_be_had_is_refused_at_once(opened, tmp_path):
    client = lent(opened, FakeSpaces()).client("one")
    with pytest.raises(LabError, match="does not exist"):
        client.load(variant(tmp_path / "gone"))
    with pytest.raises(LabError, match="stands on 'two'"):
        client.load(variant(tmp_path, base="two"))
    with pytest.raises(UnknownName, match="nothing"):
        here(opened).client("nothing-known-by-this-name")


def test_without_the_package_zero_gpu_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "spaces", None)
    monkeypatch.setenv("SPACES_ZERO_GPU", "1")
    in_process.cache_clear()
    with pytest.raises(LabError, match="'spaces', which is not installed"):
        in_process()
    in_process.cache_clear()


def test_a_lab_is_prepared_for_zero_gpu_once_and_otherwise_nothing_is_loaded(monkeypatch):
    started = []
    fake = SimpleNamespace(GPU=FakeSpaces().GPU, zero=SimpleNamespace(startup=lambda: started.append(True)))
    monkeypatch.setitem(sys.modules, "spaces", fake)
    monkeypatch.setitem(sys.modules, "spaces.zero", fake.zero)
    prepare(Settings.from_env({}))
    prepare(Settings.from_env({"LAB_ENGINE": "in-process"}))
    assert started == []
    monkeypatch.setenv("SPACES_ZERO_GPU", "1")
    in_process.cache_clear()
    prepare(Settings.from_env())
    assert started == [True] and in_process().lent
    in_process.cache_clear()


def test_a_page_that_may_use_it_loads_no_torch():
    code = "import sys, lab.engine.in_process, jobs.engines; print({'torch', 'spaces'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"


def test_the_real_base_answers_as_its_engine_does(tiny_registered, monkeypatch):
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    in_process.cache_clear()
    _, sources = tiny_registered
    client = in_process().client("tiny")
    client.load(sources["m.trace"])
    request = ChatRequest("m.trace", [{"role": "user", "content": "2+3?"}], max_new_tokens=40)
    chunks = list(client.stream(request))
    assert chunks[-1].stats.final_text == "Answer: 5" and chunks[-1].stats.think_text == "2+3=5"
    in_process.cache_clear()
