"""One question to several models: the merge of their streams against scripted engines, and what goes wrong."""

from __future__ import annotations

import json
import time

import pytest

from lab.core.errors import LabError
from lab.core.types import ModelSource
from lab.engine.adapt import Adaptation
from lab.engine.budget import ThinkingBudget
from lab.engine.listening import listening
from lab.engine.protocol import EngineClient
from lab.engine.scripted import scripted_engine
from lab.ui.compare.asking import Asking, Question
from lab.ui.compare.column_view import Look
from lab.ui.compare.columns import Column, column_html
from lab.ui.compare.settings import AskSettings


def model(label: str, base: str = "scripted", arm: str = "base") -> ModelSource:
    return ModelSource(ref=label, label=label, base=base, folder=None if arm == "base" else "x",
                       kind="base" if arm == "base" else "adapter", arm=arm)


def connect_to(**urls: str):
    def connect(base, tell, stopped):
        tell(f"looking for {base}")
        if base not in urls:
            raise LabError(f"no engine of {base}")
        return EngineClient(urls[base])

    return connect


def ask(models, question="How much is it?", settings=None, **urls: str) -> Asking:
    columns = [Column(one, f"f{place}", settings=settings or AskSettings()) for place, one in enumerate(models)]
    return Asking(Question(question), columns, [[] for _ in columns], connect_to(**urls)).start()


def run(models, question="How much is it?", settings=None, **urls: str) -> list[Column]:
    asking = ask(models, question, settings, **urls)
    assert asking.over.wait(20)
    return list(asking.columns)


def test_all_columns_fill_at_once_and_end_with_their_statistics():
    with scripted_engine("scripted", delay_s=0.05) as url:
        asking = ask([model("scripted"), model("my-trace", arm="trace")], scripted=url)
        together = False
        for columns in asking.updates():
            together |= all(column.phase in ("thinking", "answering") for column in columns)
    base, trace = asking.columns
    assert together, "the columns should stream side by side, not one after the other"
    assert (base.phase, trace.phase) == ("done", "done")
    assert not base.thought and "I read them one by one" in trace.thought
    assert base.answer.endswith("Answer: 4") and trace.stats.n_think_tokens > 0
    assert trace.stats.finish_reason == "eos"
    assert trace.identity["checked"], "the engine's probe belongs to the answer"


def test_updates_come_at_reading_speed_not_per_token():
    with scripted_engine("scripted", delay_s=0.005) as url:
        asking = ask([model("my-trace", arm="trace")], "word " * 10, scripted=url)
        started, count = time.monotonic(), sum(1 for _ in asking.updates())
    assert count <= 3 + (time.monotonic() - started) * 10


def test_one_engine_that_is_missing_ends_its_own_column_only():
    with scripted_engine("scripted") as url:
        good, bad = run([model("scripted"), model("other", base="other")], scripted=url)
    assert good.phase == "done"
    assert (bad.phase, bad.error) == ("failed", "no engine of other")


def test_a_remote_model_is_asked_at_its_endpoint_without_an_engine():
    with scripted_engine("scripted") as url:
        far = ModelSource(ref="remote:far", label="far", base="far", kind="remote", url=f"{url}/v1",
                          remote_model="scripted")
        column, = run([far])
    assert (column.phase, column.error) == ("done", "")
    assert column.answer.endswith("Answer: 4") and column.identity is None


def test_an_error_of_the_engine_keeps_what_was_said_before():
    with scripted_engine("scripted") as url:
        column, = run([model("my-trace", arm="trace")], "please [fail] now", scripted=url)
    assert column.phase == "failed" and "asked to fail" in column.error
    assert column.thought


def test_an_engine_that_dies_in_mid_stream_ends_its_column_with_a_sentence():
    with scripted_engine("scripted") as alive, listening(dying_app()) as dying:
        good, dead = run([model("scripted"), model("dying", base="dying")], scripted=alive, dying=dying)
    assert good.phase == "done"
    assert dead.phase == "failed" and dead.answer == "first words"
    assert "engine" in dead.error


def dying_app():
    """Loads anything, starts to answer, and drops the connection without the end of the stream."""
    from fastapi import FastAPI
    from fastapi.responses import StreamingResponse

    app = FastAPI()

    @app.post("/v1/models/load")
    def load() -> dict:
        return {}

    @app.get("/health")
    def health() -> dict:
        return {"base": "dying", "models": [], "loaded": [], "busy": 0, "idle_s": 0}

    @app.post("/v1/chat/completions")
    def complete() -> StreamingResponse:
        def events():
            yield f"data: {json.dumps({'choices': [{'index': 0, 'delta': {'content': 'first words'}}]})}\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    return app


def test_stop_keeps_what_was_said_and_ends_the_generation():
    with scripted_engine("scripted", delay_s=0.02) as url:
        asking = ask([model("my-trace", arm="trace")], "go [unclosed]", AskSettings(512), scripted=url)
        started = time.monotonic()
        for columns in asking.updates():
            if len(columns[0].thought) > 20:
                asking.stop()
        assert time.monotonic() - started < 5
        client, deadline = EngineClient(url), time.monotonic() + 5
        while client.health()["busy"] and time.monotonic() < deadline:
            time.sleep(0.05)
        assert client.health()["busy"] == 0
    assert asking.columns[0].phase == "stopped" and asking.columns[0].thought


def test_a_reader_who_leaves_does_not_stop_the_answers():
    with scripted_engine("scripted", delay_s=0.005) as url:
        asking = ask([model("my-trace", arm="trace")], scripted=url)
        updates = asking.updates()
        next(updates)
        updates.close()
        assert asking.over.wait(20)
    assert asking.columns[0].phase == "done"


def test_the_end_is_told_once_even_when_stop_and_the_last_word_meet():
    ended = []
    with scripted_engine("scripted") as url:
        columns = [Column(model("scripted"), str(place)) for place in range(4)]
        asking = Asking(Question("q"), columns, [[]] * 4, connect_to(scripted=url)).start(ended.append)
        asking.stop()
        assert asking.over.wait(20)
        asking.stop()
    assert ended == [asking]


def test_a_budget_and_an_adaptation_reach_the_engine_and_their_outcome_the_column():
    settings = AskSettings(budget=ThinkingBudget(max_tokens=4), adapt=Adaptation(mode="nearest", dataset="toy"))
    with scripted_engine("scripted") as url:
        column, = run([model("my-trace", arm="trace")], settings=settings, scripted=url)
    assert column.stats.think_state == "forced"
    assert column.adaptation.neighbours[0].dataset == "toy" and column.notes
    html = column_html(column)
    assert "closed by force" in html and "Adapted to 1 near example" in html and "restored ✓" in html


def test_updates_slow_down_in_company_and_for_long_texts():
    asking = Asking(Question("q"), [Column(model("a"))], [[]], connect_to())
    assert asking.update_s(1) == asking.update_s(5) == pytest.approx(0.11)
    assert asking.update_s(20) == pytest.approx(0.4)
    asking.columns[0].answer = "x" * 50_000
    assert asking.update_s(1) == pytest.approx(0.4)


def test_a_thought_that_is_cut_is_marked_and_its_answer_is_missed_in_words():
    with scripted_engine("scripted") as url:
        column, = run([model("my-trace", arm="trace")], "go [unclosed]", AskSettings(30), scripted=url)
    html = column_html(column)
    assert column.stats.think_state == "unclosed_length"
    assert "never closed" in html and "No answer" in html and "cut at the token budget" in html


@pytest.mark.parametrize("mode", ["Rendered", "Plain"])
@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "${7*7}{{x}}`"])
def test_nothing_a_model_writes_becomes_markup(text, mode):
    column = Column(model(text), "f", phase="answering", thought=text, answer=text)
    html = column_html(column, Look(mode))
    assert "<script" not in html and "<img" not in html
    assert "${" not in html and "{{" not in html and "`" not in html
    column.end("failed", text)
    assert "<script" not in column_html(column) and "<img" not in column_html(column)
