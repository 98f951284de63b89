"""vLLM's command rendered exactly, and the backend against a stand-in for it. vLLM itself is not tried."""

import json
import os
import sys
import time
from pathlib import Path

import pytest

from lab.bases.cards import bases
from lab.core.context import MemoryContext, Stopped
from lab.core.errors import LabError
from lab.core.types import ModelSource
from lab.engine._vllm import vllm_engine
from lab.engine.adapt import Adaptation
from lab.engine.budget import ThinkingBudget
from lab.engine.protocol import ChatRequest, EngineClient
from lab.engine.specs import EngineSpec
from lab.engine.streams import stream
from lab.engine.vllm import Serving, adapter_rank, command, environment, executable
from tests.engine.running import start
from tests.engine.tiny import question

CHAT = [{"role": "user", "content": question(2, 2)}]


def adapter(folder, label="a", base="tiny", **settings):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps({"r": 16, "bias": "none"} | settings))
    return ModelSource(ref=label, label=label, base=base, folder=str(folder), kind="adapter")


def test_the_command_for_a_base_alone_is_exactly_this():
    assert command(Serving(bases()["qwen2.5-7b-instruct"], 8123)) == [
        "vllm", "serve", "Qwen/Qwen2.5-7B-Instruct", "--host", "127.0.0.1", "--port", "8123",
        "--served-model-name", "qwen2.5-7b-instruct", "--dtype", "auto", "--max-model-len", "32768",
        "--max-num-seqs", "32", "--seed", "0", "--generation-config", "vllm",
        "--revision", "a09a35458c702b33eeacc393d103063234e8bc28",
        "--enable-lora", "--max-loras", "8", "--max-cpu-loras", "64", "--max-lora-rank", "64",
    ]


def test_adapters_and_four_bits_add_exactly_this(tmp_path):
    narrow, wide = adapter(tmp_path / "a", "a.trace"), adapter(tmp_path / "b", "b.gold", r=8, rank_pattern={"q": 100})
    words = command(Serving(bases()["demo-llama"], 9, "4bit", max_rows=4, adapters=(narrow, wide), seed=5))
    assert words[words.index("--dtype") :] == [
        "--dtype", "bfloat16", "--max-model-len", str(bases()["demo-llama"].context_tokens), "--max-num-seqs", "4",
        "--seed", "5", "--generation-config", "vllm", "--quantization", "bitsandbytes",
        "--enable-lora", "--max-loras", "8", "--max-cpu-loras", "64", "--max-lora-rank", "128",
        "--lora-modules", f"a.trace={tmp_path}/a", f"b.gold={tmp_path}/b",
    ]
    assert words[2] == bases()["demo-llama"].location() and Path(words[2]).is_dir()


@pytest.mark.parametrize("precision, dtype", [("bf16", "bfloat16"), ("fp32", "float32"), ("auto", "auto")])
def test_precisions_have_vllms_names(precision, dtype):
    words = command(Serving(bases()["demo-llama"], 9, precision))
    assert words[words.index("--dtype") + 1] == dtype and "--quantization" not in words


def test_the_environment_lets_adapters_come_and_reports_nothing_home():
    env = environment({"HF_HUB_OFFLINE": "1", "PATH": "/bin"})
    assert env == {"HF_HUB_OFFLINE": "1", "PATH": "/bin", "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True",
                   "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}


def test_without_vllm_the_error_says_how_to_get_it(tmp_path):
    with pytest.raises(LabError, match="pip install vllm.*backend: lab") as caught:
        executable({"PATH": str(tmp_path)})
    assert caught.value.reason == "dependency"


@pytest.mark.parametrize("settings, what", [
    ({"use_dora": True}, "DoRA"), ({"bias": "all"}, "biases"), ({"modules_to_save": ["lm_head"]}, "whole layers"),
])
def test_an_adapter_that_vllm_would_load_wrongly_is_refused(tmp_path, settings, what):
    with pytest.raises(LabError, match=what):
        adapter_rank(adapter(tmp_path / "x", **settings))


def test_an_adapter_without_files_or_with_too_large_a_rank_is_refused(tmp_path):
    with pytest.raises(LabError, match="no adapter to serve"):
        adapter_rank(ModelSource(ref="x", label="x", base="tiny", folder=str(tmp_path), kind="adapter"))
    with pytest.raises(LabError, match="rank 600"):
        command(Serving(bases()["demo-llama"], 9, adapters=(adapter(tmp_path / "y", r=600),)))


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A folder with a `vllm` on PATH, which notes what it is asked; call it for what it has noted."""
    folder, log = tmp_path / "bin", tmp_path / "log"
    folder.mkdir()
    script = Path(__file__).with_name("fake_vllm.py").read_text()
    (folder / "vllm").write_text(f"#!{sys.executable}\n" + script.split("\n", 1)[1])
    (folder / "vllm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_VLLM_LOG", str(log))
    return lambda: [json.loads(line) for line in log.read_text().splitlines()]


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid, patience_s=5):
    """A process that was killed goes when the kernel gets to it."""
    deadline = time.monotonic() + patience_s
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not alive(pid)


def test_a_base_and_an_adapter_that_comes_later_answer_through_vllm(fake, tiny):
    card, sources = tiny
    with vllm_engine(card, 40, max_rows=7) as (engine, check):
        engine.load(sources["m.trace"])
        engine.load(sources["m.trace"])
        chunks = list(stream(engine, ChatRequest("m.trace", CHAT, 99, seed=3, stop=("x",))))
        short = list(stream(engine, ChatRequest("tiny", CHAT, 2)))[-1].stats
        assert [model["kind"] for model in engine.models()] == ["base", "adapter"]
        engine.unload("m.trace")
        assert engine.labels() == ["tiny"]
        check()
    started, loaded, body, *_, unloaded = fake()
    assert started["arguments"] == command(Serving(card, int(started["arguments"][5]), max_rows=7))[1:]
    assert started["environment"]["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] == "True"
    assert loaded == {"load": {"lora_name": "m.trace", "lora_path": sources["m.trace"].folder}}
    assert unloaded == {"unload": {"lora_name": "m.trace"}}
    kinds = [chunk.kind for chunk in chunks]
    end = chunks[-1].stats
    assert (kinds[0], end.think_text, end.final_text, end.think_state) == ("thinking", "2+2=4", "Answer: 4", "closed")
    assert (short.finish_reason, short.think_state) == ("length", "unclosed_length")
    asked = body["body"]
    assert asked["model"] == "m.trace" and (asked["max_tokens"], asked["seed"], asked["stop"]) == (40, 3, ["x"])
    assert gone(started["pid"]) and gone(started["worker"])


def test_vllm_is_asked_with_the_token_ids_of_the_labs_own_template(fake, tiny):
    from transformers import AutoTokenizer

    with vllm_engine(tiny[0], 40) as (engine, _):
        end = list(stream(engine, ChatRequest("tiny", CHAT)))[-1].stats
    asked = fake()[1]["body"]
    tokenizer = AutoTokenizer.from_pretrained(tiny[0].location())
    assert tokenizer.decode(asked["prompt"]) == f"<|begin|><|user|>{question(2, 2)}<|assistant|>"
    assert asked["stop_token_ids"] == [tokenizer.eos_token_id] and asked["skip_special_tokens"] is False
    assert end.n_prompt_tokens == len(asked["prompt"])


def test_what_vllm_cannot_do_is_refused_at_once(fake, tiny, tmp_path):
    card = tiny[0]
    wishes = [({"budget": ThinkingBudget(max_tokens=3)}, "bounds"), ({"adapt": Adaptation(mode="nearest")}, "adapt")]
    with vllm_engine(card, 40) as (engine, _):
        for wish, sentence in wishes:
            with pytest.raises(LabError, match=f"vLLM cannot.*{sentence}"):
                engine.submit(ChatRequest("tiny", CHAT, **wish), print)
        with pytest.raises(LabError, match="holds 128"):
            engine.submit(ChatRequest("tiny", [{"role": "user", "content": "x" * 500}]), print)
        with pytest.raises(LabError, match="unknown model 'tini'"):
            engine.submit(ChatRequest("tini", CHAT), print)
        with pytest.raises(LabError, match="rank 65.*started for 64"):
            engine.load(adapter(tmp_path / "wide", "wide", r=65))
        with pytest.raises(LabError, match="stands on 'other'"):
            engine.load(adapter(tmp_path / "far", "far", base="other"))
        with pytest.raises(LabError, match="full weights"):
            engine.load(ModelSource(ref="f", label="f", base="tiny", folder=str(tmp_path), kind="full"))
        with pytest.raises(LabError, match="refused adapter 'bad'"):
            engine.load(adapter(tmp_path / "bad", "bad"))
        assert engine.labels() == ["tiny"]


def test_a_vllm_that_dies_at_its_start_is_told_with_its_code(fake, tiny, monkeypatch):
    monkeypatch.setenv("FAKE_VLLM_DIES", "3")
    with pytest.raises(LabError, match="ended with code 3"), vllm_engine(tiny[0], 40):
        pass
    assert gone(fake()[0]["worker"])


def test_a_stop_is_heard_while_vllm_loads(fake, tiny):
    with pytest.raises(Stopped), vllm_engine(tiny[0], 40, stopped=lambda: True):
        pass


def test_an_engine_job_with_backend_vllm_serves_the_labs_api_and_ends_with_vllm(fake, tiny_registered, tmp_path):
    context = MemoryContext(tmp_path)
    thread, outcome = start(context, EngineSpec(base="tiny", backend="vllm", max_new_tokens=40))
    client = EngineClient(context.facts["url"])
    assert client.health()["models"] == ["tiny"] and client.models()[0]["identity"] is None
    assert list(client.stream(ChatRequest("tiny", CHAT)))[-1].stats.final_text == "Answer: 4"
    os.kill(fake()[0]["pid"], 9)
    thread.join(10)
    assert "ended with code -9" in str(outcome["error"]) and gone(fake()[0]["worker"])
