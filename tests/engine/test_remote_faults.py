"""Faults of remote endpoints, told so that whoever asks much can tell what passes from what does not; whole replies."""

import time
from email.utils import formatdate

import httpx
import pytest

from lab.core.errors import LabError
from lab.engine.protocol import ChatRequest, Trouble
from lab.engine.remote_faults import asked_wait_s, key_headers, trouble_of, trouble_with
from lab.engine.remote_models import RemoteModels
from tests.engine.test_remote import CHAT, Endpoint, asked, deltas, source

WHOLE = {"choices": [{"index": 0, "message": {"content": "<think>hm</think>4"}, "finish_reason": "stop"}],
         "usage": {"prompt_tokens": 7, "completion_tokens": 3}}


def heard(models, **options):
    """The last chunk of one answer."""
    from queue import SimpleQueue

    told = SimpleQueue()
    models.submit(ChatRequest("r", CHAT, **options), told.put)
    while (chunk := told.get(timeout=10)).kind not in ("end", "error"):
        pass
    return chunk


@pytest.mark.parametrize("status, kind, busy", [
    (429, "passing", True), (503, "passing", True), (500, "passing", False), (502, "passing", False),
    (408, "passing", False), (400, "refused", False), (413, "refused", False), (422, "refused", False),
    (401, "settings", False), (402, "settings", False), (403, "settings", False), (404, "settings", False),
])
def test_a_status_says_whether_to_ask_again(status, kind, busy):
    with asked(Endpoint(refusals=[(status, {})] * 3)) as (models, _):
        chunk = heard(models)
    assert chunk.kind == "error" and (chunk.trouble.kind, chunk.trouble.busy) == (kind, busy)


@pytest.mark.parametrize("told, least, most", [("3", 3, 3), ("0.5", 0.5, 0.5), ("-1", None, None), ("soon", None, None),
                                               ("", None, None), ("in a minute", 30, 61)])
def test_a_wait_is_read_in_seconds_or_as_a_date(told, least, most):
    told = formatdate(time.time() + 60, usegmt=True) if told == "in a minute" else told
    wait_s = asked_wait_s(httpx.Response(429, headers={"retry-after": told}))
    assert wait_s is None if least is None else least <= wait_s <= most
    assert trouble_with(httpx.Response(429, headers={"retry-after": told})).wait_s is None or least is not None


def test_an_endpoint_that_is_not_there_may_come_back_and_a_wrong_address_will_not():
    models = RemoteModels(pauses_s=())
    models.load(source("http://127.0.0.1:9"))
    assert heard(models).trouble == Trouble("passing")
    models.load(source("nonsense://127.0.0.1:9"))
    assert heard(models).trouble == Trouble("settings")
    models.close()
    assert trouble_of(UnicodeEncodeError("utf-8", "\ud800", 0, 1, "no")) == Trouble("refused")


def test_an_answer_in_one_piece_is_asked_for_and_read():
    endpoint = Endpoint(refusals=[(200, WHOLE)])
    with asked(endpoint) as (models, _):
        chunk = heard(models, whole=True, max_new_tokens=5)
    body = endpoint.asked[0][1]
    assert body["stream"] is False and "stream_options" not in body and body["max_tokens"] == 5
    assert (chunk.stats.think_text, chunk.stats.final_text, chunk.counted) == ("hm", "4", True)
    assert chunk.stats.n_prompt_tokens == 7 and chunk.stats.n_think_tokens + chunk.stats.n_answer_tokens == 3


def test_an_endpoint_that_streams_all_the_same_is_understood():
    with asked(Endpoint(deltas({"content": "4"}))) as (models, _):
        chunk = heard(models, whole=True)
    assert chunk.stats.final_text == "4" and not chunk.counted


@pytest.mark.parametrize("body", [{}, {"choices": []}, [], "text", {"choices": [{"message": {"content": "4"}}]},
                                  {"error": {"message": "overloaded"}}])
def test_what_is_no_whole_answer_may_pass(body):
    with asked(Endpoint(refusals=[(200, body)])) as (models, _):
        assert heard(models, whole=True).trouble == Trouble("passing")


def test_an_answer_that_takes_longer_than_allowed_in_all_is_given_up():
    with asked(Endpoint(deltas(*[{"content": "x"}] * 100), pause_s=0.05)) as (models, _):
        models._timeout = httpx.Timeout(0.5)
        chunk = heard(models, whole=True)
    assert chunk.trouble == Trouble("passing") and "did not answer in time" in chunk.text


def test_the_newer_name_of_a_field_is_remembered():
    refusal = (400, {"error": {"message": "Unsupported: 'max_tokens'. Use 'max_completion_tokens' instead."}})
    endpoint = Endpoint(refusals=[refusal, (200, WHOLE), (200, WHOLE)])
    with asked(endpoint) as (models, _):
        models._pauses_s = ()
        assert heard(models, whole=True).kind == heard(models, whole=True).kind == "end"
    assert len(endpoint.asked) == 3 and all("max_tokens" not in body for _, body in endpoint.asked[1:])


@pytest.mark.parametrize("reason, kind", [("content_filter", "refused"), ("abort", "passing"), ("error", "passing")])
def test_an_answer_that_was_cut_by_a_filter_or_a_server_going_down_is_none(reason, kind):
    cut = {"choices": [{"index": 0, "message": {"content": "half of"}, "finish_reason": reason}]}
    with asked(Endpoint(refusals=[(200, cut)])) as (models, _):
        chunk = heard(models, whole=True)
    assert chunk.kind == "error" and chunk.trouble.kind == kind


def test_a_question_that_is_moderated_is_refused_alone():
    flagged = httpx.Response(403, json={"error": {"message": "Your input was flagged"}})
    assert trouble_with(flagged) == Trouble("refused") and trouble_with(httpx.Response(403)).kind == "settings"


def test_a_key_that_no_header_can_hold_is_named_before_anything_is_asked(monkeypatch):
    monkeypatch.setenv("BAD_KEY", "sk-\u201cabc\u201d")
    with pytest.raises(LabError, match="BAD_KEY holds a sign that no key has"):
        key_headers(source("http://127.0.0.1:9").model_copy(update={"key_env": "BAD_KEY"}))
