"""Counting says what training will find, and does not need torch to say it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import get_args

import pytest
from transformers import AutoTokenizer

from lab.bases.cards import bases
from lab.core.errors import LabError
from lab.core.spec import load_spec
from lab.core.types import Target
from lab.data.dataset import datasets
from lab.training import counting
from lab.training.counting import count
from lab.training.rows import build_rows, tokenise
from lab.training.specs import SftSpec


@pytest.fixture(autouse=True)
def forget():
    counting._lengths.cache_clear()


def spec(**values) -> SftSpec:
    return load_spec(SftSpec, {"base": "tiny", "dataset": "sums", "target": "trace", **values})


@pytest.mark.parametrize("target", get_args(Target))
@pytest.mark.parametrize("values", [
    {}, {"max_rows": 10, "seed": 3}, {"dataset": "long", "max_length": 120}, {"thinking_style": "headings"},
])
def test_the_count_is_what_training_builds(tiny, target, values):
    chosen = spec(target=target, **values)
    style = values.get("thinking_style", "tags")
    rows = build_rows(chosen, datasets()[chosen.dataset].load(), AutoTokenizer.from_pretrained(tiny.location()), style)
    counted = count(chosen)
    assert (counted.n_rows, counted.n_dropped, counted.n_tokens) == (len(rows.kept), rows.n_dropped, rows.n_tokens)
    assert counted.passes("tokens") == rows.passes("tokens") and counted.passes("rows") == rows.passes("rows") == 1


def test_a_file_that_changed_is_counted_anew(tiny, tmp_path):
    file = tmp_path / "own.jsonl"
    row = {"question": "What is 1 plus 2?", "answer": "Answer: 3", "trace": "1+2=3"}
    file.write_text(json.dumps(row) + "\n")
    assert count(spec(dataset=str(file))).n_rows == 1
    file.write_text("\n".join(json.dumps(row) for _ in range(3)) + "\n")
    assert count(spec(dataset=str(file))).n_rows == 3


def test_rows_without_trace_are_refused_for_the_trace_arm_alone(tiny, tmp_path):
    file = tmp_path / "own.jsonl"
    file.write_text(json.dumps({"question": "What is 1 plus 2?", "answer": "Answer: 3"}) + "\n")
    assert count(spec(dataset=str(file), target="answer")).n_rows == 1
    with pytest.raises(LabError, match="1 of 1 rows .* no reasoning trace"):
        count(spec(dataset=str(file)))


def test_a_base_whose_files_are_missing_says_so(tiny, tmp_path):
    gone = tiny.model_copy(update={"path": str(tmp_path / "gone")})
    with pytest.raises(LabError, match="files of base 'tiny' are not on this machine"):
        counting.open_tokenizer(gone)


LOCAL = sorted(name for name, base in bases().items() if base.path)


def test_there_are_embedded_bases():
    assert {"demo-llama", "demo-qwen2"} <= set(LOCAL)


@pytest.mark.parametrize("name", LOCAL)
def test_an_embedded_base_is_counted_with_the_tokens_it_is_trained_on(name):
    base = bases()[name]
    examples = datasets()["demo-combined"].load()[:200]
    trained, counted = AutoTokenizer.from_pretrained(base.location()), counting.open_tokenizer(base)
    assert tokenise(examples, trained, "trace", "tags") == tokenise(examples, counted, "trace", "tags")
    assert type(trained) is type(counted)


def test_counting_does_not_load_torch(tiny):
    code = (
        "import sys; from lab.bases.tokenizers import open_tokenizer; from tests.training.tiny import card, sums;"
        "from lab.training.rows import tokenise;"
        f"tokenise(sums(2), open_tokenizer(card({tiny.location()!r})), 'trace', 'tags');"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_threads_that_ask_at_once_in_a_fresh_process_all_get_their_tokenizer():
    program = """
import threading
from lab.bases.cards import bases
from lab.bases.tokenizers import open_tokenizer

faults = []

def ask(name):
    try:
        open_tokenizer(bases()[name])
    except Exception as error:
        faults.append(repr(error))

threads = [threading.Thread(target=ask, args=(name,)) for name in ("demo-llama", "demo-qwen2") * 4]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(faults)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
