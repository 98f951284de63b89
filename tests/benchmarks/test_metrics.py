"""The lab's scores as `evaluate` metrics, with no network."""

import socket

import pytest


@pytest.fixture
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_EVALUATE_OFFLINE", "1")

    def refuse(*_):
        raise AssertionError("a metric must not open a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_combined_metrics_agree_with_the_samples(offline, tmp_path):
    import evaluate

    from lab.benchmarks._metrics import AnswerAccuracy, UnparsedRate
    from lab.benchmarks.samples import score
    from lab.core.types import Example, Generation

    example = Example(id="1", question="2+2?", answer="Answer: 4", gold="4", verifier="numeric")
    texts = ["Answer: 4", "Answer: 5", "perhaps four", "Answer: 4.0"]
    kept = dict(cache_dir=str(tmp_path))
    combined = evaluate.combine([AnswerAccuracy(**kept), UnparsedRate(**kept)])
    figures = combined.compute(predictions=texts, references=[example.model_dump_json()] * 4)
    assert figures == {"answer_accuracy": 0.5, "unparsed_rate": 0.25}

    counts = dict(n_prompt_tokens=1, n_think_tokens=0, n_answer_tokens=1, seconds=0.1, finish_reason="eos")
    made = [Generation(raw_text=t, think_text="", final_text=t, think_state="none", **counts) for t in texts]
    assert sum(score(one, example).correct for one in made) / 4 == figures["answer_accuracy"]
