"""EleutherAI's lm-evaluation-harness against the engine, its API models unchanged (lm_eval 0.4.13).

It is installed without what it brings along: requirements-harness.txt.
"""

import json

import pytest

from lab.engine.api import build_app
from lab.engine.listening import listening
from lab.engine.scripted import scripted_engine
from tests.engine.tiny import SUMS, question

pytest.importorskip("lm_eval", reason="lm_eval is not installed: pip install --no-deps -r requirements-harness.txt")


@pytest.fixture(scope="module", autouse=True)
def offline():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield


@pytest.fixture(scope="module")
def real(tiny):
    from lab.engine._hf import LoadedBase

    engine = LoadedBase(tiny[0], max_new_tokens=40)
    engine.load(tiny[1]["m.trace"])
    with listening(build_app(engine)) as url:
        yield url


def harness(kind, **arguments):
    import lm_eval.models  # noqa: F401  registers the models
    from lm_eval.api.registry import get_model

    return get_model(kind).create_from_arg_obj(arguments)


def requests(kind, arguments):
    from lm_eval.api.instance import Instance

    return [Instance(kind, {}, given, place) for place, given in enumerate(arguments)]


def chat(text):
    from lm_eval.models.api_models import JsonChatStr

    return JsonChatStr(json.dumps([{"role": "user", "content": text}]))


def test_its_chat_model_generates_until_a_stop_text():
    with scripted_engine() as url:
        address = f"{url}/v1/chat/completions"
        model = harness("local-chat-completions", model="scripted", base_url=address, num_concurrent=3)
        until = {"until": ["\n\n"], "max_gen_toks": 20, "do_sample": False, "temperature": 0}
        asked = [(chat(text), dict(until)) for text in ("One?", "One two?", "One two three?")]
        answers = model.generate_until(requests("generate_until", asked))
    assert answers == [f"The scripted answer of scripted to {n} words." for n in (1, 2, 3)]


def test_its_chat_model_reads_the_answer_of_a_thinking_variant(real):
    model = harness("local-chat-completions", model="m.trace", base_url=f"{real}/v1/chat/completions")
    asked = [(chat(question(*pair)), {"until": ["<|end|>"], "max_gen_toks": 40}) for pair in SUMS[:3]]
    assert model.generate_until(requests("generate_until", asked)) == [f"Answer: {a + b}" for a, b in SUMS[:3]]


def completions(url, tiny, **options):
    return harness(
        "local-completions", model="tiny", base_url=f"{url}/v1/completions", tokenizer=tiny[0].location(),
        tokenizer_backend="huggingface", max_length=128, **options,
    )


def test_its_completions_model_continues_token_ids(real, tiny):
    model = completions(real, tiny)
    until = {"until": [":"], "max_gen_toks": 9}
    asked = [(f"<|begin|><|user|>{question(*pair)}<|assistant|>", dict(until)) for pair in SUMS[:3]]
    assert model.generate_until(requests("generate_until", asked)) == ["Answer"] * 3


@pytest.mark.parametrize("batch_size", [1, 3])
def test_its_loglikelihoods_are_those_of_the_model(real, tiny, batch_size):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny[0].location())
    base = AutoModelForCausalLM.from_pretrained(tiny[0].location())

    def expected(context, continuation):
        ids = tokenizer(context + continuation, return_tensors="pt")["input_ids"]
        n = len(tokenizer(context)["input_ids"])
        shares = base(ids).logits.log_softmax(-1)[0, n - 1 : -1]
        wanted = ids[0, n:]
        chosen = shares.gather(1, wanted[:, None]).sum().item()
        return chosen, bool((shares.argmax(-1) == wanted).all())

    prompt = f"<|begin|><|user|>{question(2, 3)}<|assistant|>"
    # The last one ends where the model itself would end: the token it then makes has no text.
    asked = [(prompt, " 9 is wrong"), (prompt, "Answer"), (f"{prompt}Answer:", f" {2 + 3}")]
    told = completions(real, tiny, batch_size=batch_size).loglikelihood(requests("loglikelihood", asked))
    for (logprob, greedy), (right, right_greedy) in zip(told, [expected(*pair) for pair in asked], strict=True):
        assert logprob == pytest.approx(right, abs=1e-3) and greedy == right_greedy
    assert [greedy for _, greedy in told] == [False, True, True]
