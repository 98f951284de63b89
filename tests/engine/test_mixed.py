"""Batches in which each question has its own model and options."""

import dataclasses
import hashlib
import queue
import threading

import pytest

from lab.core.errors import LabError, UnknownName
from lab.core.types import ModelSource
from lab.engine.adapt import Adaptation
from lab.engine.fingerprint import prompt_sha
from lab.engine.protocol import Asked, Chunk, GenerationOptions, Stats
from lab.engine.remote import RemoteEngine
from tests.engine.tiny import SUMS, question

CHATS = [[{"role": "user", "content": question(*s)}] for s in SUMS]
GREEDY = GenerationOptions(max_new_tokens=40)
UNLIKE = {"seconds"}


@pytest.fixture
def loaded(with_a_whole_model):
    return with_a_whole_model


def told(generations):
    return [one.model_dump(exclude=UNLIKE) for one in generations]


def mixed(engine, asked, batch_size):
    found = dict(pair for batch in engine.generate_mixed(asked, batch_size) for pair in batch)
    assert sorted(found) == list(range(len(asked)))
    return [found[place] for place in range(len(asked))]


@pytest.mark.parametrize("batch_size", [5, 24])
def test_answers_of_several_variants_in_one_batch_are_those_of_each_alone(loaded, batch_size):
    labels = ["tiny", "m.trace", "a", "whole"]
    asked = [Asked(label, chat, GREEDY) for chat in CHATS[:8] for label in labels]
    together = mixed(loaded, asked, batch_size)
    alone = {label: loaded.generate_batch(label, CHATS[:8], GREEDY) for label in labels}
    assert len({tuple(one.raw_text for one in alone[label]) for label in labels}) == 4  # four models, not one
    for number, label in enumerate(labels):
        assert told(together[number :: len(labels)]) == told(alone[label]), label


def test_each_row_has_options_of_its_own(loaded):
    sampled = [GenerationOptions(max_new_tokens=12, temperature=1.5, seed=seed) for seed in (1, 2, 1)]
    short = GenerationOptions(max_new_tokens=2)
    found = mixed(loaded, [Asked("a", CHATS[0], options) for options in (*sampled, short, GREEDY)], 8)
    assert found[0].raw_text == found[2].raw_text != found[1].raw_text
    for options, one in zip((*sampled, short, GREEDY), found, strict=True):
        assert told([one]) == told(loaded.generate_batch("a", CHATS[:1], options))
    assert found[3].finish_reason == "length" and found[3].n_answer_tokens + found[3].n_think_tokens == 2


def test_an_epoch_is_a_seed_and_the_epochs_of_a_question_differ(loaded):
    drawn = GenerationOptions(max_new_tokens=12, temperature=1.5)
    asked = [Asked("a", CHATS[0], dataclasses.replace(drawn, seed=seed)) for seed in range(6)]
    assert len({one.raw_text for one in mixed(loaded, asked, 6)}) > 3


def test_a_row_that_fails_fails_the_batch_and_a_label_that_is_not_there_is_named(loaded):
    with pytest.raises(UnknownName, match="m.trase"):
        mixed(loaded, [Asked("tiny", CHATS[0], GREEDY), Asked("m.trase", CHATS[0], GREEDY)], 4)
    with pytest.raises(LabError, match="a prompt has"):
        mixed(loaded, [Asked("tiny", [{"role": "user", "content": "x" * 200}], GREEDY)], 4)


def test_closing_the_iterator_cancels_what_is_left(loaded):
    asked = [Asked(label, chat, GREEDY) for label in ("tiny", "whole") for chat in CHATS]
    batches = loaded.generate_mixed(asked, 2)
    first = next(batches)
    batches.close()
    lanes = [loaded._weights.loaded(label).lane for label in ("tiny", "whole")]
    loaded._loop.do(lambda: None)
    left = [row for lane in lanes for row in (*lane.rows, *lane.waiting)]
    assert len(first) < len(asked) and all(row.cancelled for row in left)
    assert loaded.generate_batch("tiny", CHATS[:1], GREEDY)[0].finish_reason == "eos"


def test_weights_of_their_own_do_not_wait_for_the_base_to_be_done(loaded):
    asked = [Asked("tiny", chat, GREEDY) for chat in CHATS * 3] + [Asked("whole", chat, GREEDY) for chat in CHATS[:2]]
    order = [place for batch in loaded.generate_mixed(asked, 2) for place, _ in batch]
    assert max(order.index(48), order.index(49)) < len(order) // 2


def test_adapted_questions_come_last_and_keep_their_places(loaded, monkeypatch):
    heard = []

    def adapted(model, label, chats, options, make_row):
        heard.append((label, len(chats), options.adapt.mode))
        yield [(place, f"{label} {chat[0]['content']}") for place, chat in reversed(list(enumerate(chats)))]

    monkeypatch.setattr(loaded._adapted, "generate", adapted)
    shown = dataclasses.replace(GREEDY, adapt=Adaptation(mode="context", dataset="demo-medical"))
    asked = [Asked("a", CHATS[0], shown), Asked("tiny", CHATS[1], GREEDY), Asked("m.trace", CHATS[2], shown),
             Asked("a", CHATS[3], shown)]
    found = mixed(loaded, asked, 4)
    assert heard == [("a", 2, "context"), ("m.trace", 1, "context")]
    assert (found[0], found[2], found[3]) == tuple(
        f"{asked[place].label} {CHATS[place][0]['content']}" for place in (0, 2, 3))
    assert told([found[1]]) == told(loaded.generate_batch("tiny", CHATS[1:2], GREEDY))


def test_calls_asked_while_rows_decode_do_not_keep_them_waiting(loaded):
    """A call that asks for the next one at once: between two of them the rows get a pass."""
    lane, passes, step = loaded._weights.lane, [], threading.Event()
    row_done = threading.Thread(target=lambda: loaded.generate_batch("tiny", CHATS[:1], GREEDY))
    calls = queue.SimpleQueue()

    def again(n):
        passes.append(sum(len(row.ids) for row in lane.rows))
        if n:
            loaded._loop._post(loaded._loop._calls, ((lambda: again(n - 1)), calls_future()))
        else:
            step.set()

    def calls_future():
        from concurrent.futures import Future

        calls.put(future := Future())
        return future

    row_done.start()
    while not lane.rows:
        threading.Event().wait(0.001)
    loaded._loop.do(lambda: again(4))
    assert step.wait(10)
    row_done.join()
    assert len(set(passes)) > 2


def test_an_answer_carries_the_hash_of_its_prompts_ids(loaded):
    ids = loaded.encode(CHATS[0])
    wanted = hashlib.sha256(",".join(str(token) for token in ids).encode()).hexdigest()[:16]
    assert loaded.generate_batch("tiny", CHATS[:1], GREEDY)[0].prompt_sha == wanted == prompt_sha(ids)
    assert prompt_sha([1, 23]) != prompt_sha([12, 3])


def test_a_prompt_is_shown_as_the_model_sees_it(loaded):
    assert loaded.rendered(CHATS[0]) == f"<|begin|><|user|>{CHATS[0][0]['content']}<|assistant|>"


class Endpoints:
    """Remote models that answer at once with their label, and remember what was asked at a time."""

    def __init__(self):
        self.asked, self.cancelled, self.loaded = [], 0, []

    def load(self, source):
        self.loaded.append(source.label)

    def submit(self, request, tell):
        self.asked.append((request.label, request.seed))
        stats = Stats(think_text="", final_text=f"{request.label} {request.seed}", think_state="none",
                      finish_reason="eos", n_prompt_tokens=1, n_think_tokens=0, n_answer_tokens=1, seconds=0.1)
        tell(Chunk("end", stats=stats))
        return lambda: setattr(self, "cancelled", self.cancelled + 1)


def test_remote_models_are_asked_together_too():
    def source(label):
        return ModelSource(ref=label, label=label, base=label, kind="remote", url="http://127.0.0.1/v1",
                           remote_model="m")

    endpoints = Endpoints()
    engine = RemoteEngine(source("r"), 2, endpoints)
    engine.load(source("s"))
    asked = [Asked(label, CHATS[0], GenerationOptions(seed=seed)) for seed in (1, 2) for label in ("r", "s")]
    assert [one.final_text for one in mixed(engine, asked, 8)] == ["r 1", "s 1", "r 2", "s 2"]
    assert engine.generate_batch("s", CHATS[:1], GREEDY)[0].prompt_sha == "" and engine.rendered(CHATS[0]) == ""
    batches = engine.generate_mixed(asked, 8)
    next(batches)
    batches.close()
    assert endpoints.cancelled and endpoints.loaded == ["r", "s"]
    with pytest.raises(UnknownName):
        mixed(engine, [Asked("t", CHATS[0], GREEDY)], 1)
