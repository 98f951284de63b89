"""Likelihoods of options against a forward pass per option, on tiny real models."""

import random
import threading
import time

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

import lab.engine._likelihood as likelihood
from lab.bases.cards import bases
from lab.bases.tokenizers import open_tokenizer
from lab.core.errors import LabError, UnknownName
from lab.data.targets import THINKING_STYLES
from lab.engine._batching import Lane
from lab.engine._hf import LoadedBase
from lab.engine._likelihood_reading import Read, Reader
from lab.engine._packing import common_prefix
from lab.engine._stacking import Stack
from lab.engine._weights import Loaded
from lab.engine.fingerprint import prompt_sha
from lab.engine.likelihood import LikelihoodRequest
from lab.engine.protocol import ChatRequest
from lab.engine.thinking import closed_thought
from tests.engine.tiny import SUMS, TEMPLATE, make_adapter, make_tokenizer, question

OPENS = TEMPLATE.replace("<|assistant|>{% endif %}", "<|assistant|><think>\n{% endif %}")
SIZES = dict(vocab_size=60, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2)


def model_of(kind):
    torch.manual_seed(0)
    if kind == "llama":
        model = LlamaForCausalLM(LlamaConfig(**SIZES))
    elif kind == "window":
        model = MistralForCausalLM(MistralConfig(**SIZES, sliding_window=5))
    else:
        layers = ["full_attention", "sliding_attention"]
        model = Qwen2ForCausalLM(Qwen2Config(**SIZES, use_sliding_window=True, sliding_window=4, layer_types=layers))
    return model.double().eval()


def reads_of(*shapes, prefix=0, seed=0):
    """Reads with prompts and options of the given lengths, which begin with `prefix` tokens in common."""
    draw = random.Random(seed)

    def ids(n):
        return [draw.randrange(3, 60) for _ in range(n)]

    start = ids(prefix)
    return [Read(place, "m", start + ids(n), tuple(ids(k) for k in options))
            for place, (n, options) in enumerate(shapes)]


def naive(model, read):
    """Of each option (sum, greedy) by a pass of its own."""
    found = []
    for option in read.options:
        with torch.no_grad():
            shares = model(torch.tensor([read.prompt + option]), use_cache=False).logits[0].log_softmax(-1)
        own = shares[len(read.prompt) - 1 : -1]
        wanted = torch.tensor(option)
        found.append((own.gather(1, wanted[:, None]).sum().item(), bool((own.argmax(-1) == wanted).all())))
    return found


def packed(model, reads):
    lane = Lane(model, Stack(model))
    with torch.inference_mode():
        sums, greedy = likelihood._Pass(reads, {"m": Loaded("base", lane, (), "tags", "", None)}).run()
    found = list(zip(sums, greedy, strict=True))
    return [[found.pop(0) for _ in read.options] for read in reads]


SHAPES = [(9, (1, 4, 7)), (3, (2,)), (14, (1, 1, 1, 1)), (6, (5, 1, 9, 2))]


@pytest.mark.parametrize("kind", ["llama", "window", "both kinds of layer"])
@pytest.mark.parametrize("prefix", [0, 3, 20])
def test_packed_options_are_exactly_what_each_is_alone(kind, prefix, monkeypatch):
    monkeypatch.setattr(likelihood, "WORTH", 1)
    model = model_of(kind)
    reads = reads_of(*SHAPES, prefix=prefix)
    for read, found in zip(reads, packed(model, reads), strict=True):
        for (value, greedy), (wanted, wanted_greedy) in zip(found, naive(model, read), strict=True):
            assert value == pytest.approx(wanted, abs=1e-9) and greedy == wanted_greedy


def test_the_most_likely_continuation_is_greedy_and_no_other_is():
    model = model_of("llama")
    prompt = reads_of((5, (1,)))[0].prompt
    ids = list(prompt)
    for _ in range(4):
        ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
    best = ids[5:]
    other = [*best[:2], (best[2] + 1) % 60, best[3]]
    assert [g for _, g in packed(model, [Read(0, "m", prompt, (best, other, best[:1]))])[0]] == [True, False, True]


@pytest.mark.parametrize("kind", ["llama", "window"])
def test_a_context_longer_than_a_pass_is_read_in_pieces(kind, monkeypatch):
    monkeypatch.setattr(likelihood, "READ_TOKENS", 8)
    model, read = model_of(kind), reads_of((37, (3, 1)))[0]
    wanted, widths = [value for value, _ in naive(model, read)], heard(model)
    (found,) = packed(model, [read])
    assert widths == [8, 8, 8, 8, 4, 3]
    assert [value for value, _ in found] == pytest.approx(wanted, abs=1e-9)


def heard(model):
    """Columns of every pass of a model from now on."""
    widths = []

    def hear(module, args, kwargs):
        widths.append(kwargs["input_ids"].shape[1])

    model.register_forward_pre_hook(hear, with_kwargs=True)
    return widths


def test_letters_cost_the_prompt_alone_and_what_prompts_have_in_common_is_read_once():
    model, letters = model_of("llama"), (1, 1, 1, 1)
    widths = heard(model)
    packed(model, reads_of((9, letters), (12, letters)))
    assert widths == [12]
    widths.clear()
    packed(model, reads_of(*[(n, letters) for n in (4, 6, 5, 6, 3, 6)], prefix=200))
    assert widths == [200, 6]


def test_logits_are_kept_of_the_places_that_are_wanted(monkeypatch):
    model, shapes = model_of("llama"), []
    model.lm_head.register_forward_hook(lambda module, args, output: shapes.append(tuple(output.shape)))
    packed(model, reads_of((30, (4, 4)), (28, (2,))))
    assert shapes == [(2, 7, 60)]


@pytest.mark.parametrize("prompts, expected", [
    ([[1, 2, 3], [1, 2, 4]], 2), ([[1, 2], [1, 2, 3]], 1), ([[1, 2]], 1), ([[1], [2]], 0), ([[1, 2], [1, 2]], 1),
])
def test_a_common_prefix_leaves_every_prompt_a_token_of_its_own(prompts, expected):
    assert common_prefix(prompts) == expected


def test_batches_are_cut_by_rows_padded_tokens_and_logits(monkeypatch):
    reads = reads_of(*[(10 + n % 7, (3, 3)) for n in range(40)])
    by_rows = list(likelihood._cut(reads, 16, 60))
    assert [len(batch) for batch in by_rows] == [16, 16, 8]
    sizes = [read.size for batch in by_rows for read in batch]
    assert sizes == sorted(sizes, reverse=True)
    monkeypatch.setattr(likelihood, "READ_TOKENS", 100)
    cut = list(likelihood._cut(reads, 16, 60))
    assert {len(batch) * max(read.size for read in batch) <= 100 for batch in cut} == {True}
    assert [len(batch) for batch in cut[:2]] == [100 // (16 + 4)] * 2
    monkeypatch.setattr(likelihood, "KEPT_LOGITS", 5 * 60 * 2)
    assert {len(batch) for batch in likelihood._cut(reads, 16, 60)} == {2}
    together = sorted(read.place for batch in likelihood._cut(reads, 16, 60) for read in batch)
    assert together == list(range(40))


@pytest.fixture
def loaded(with_a_whole_model):
    return with_a_whole_model


def asked_of(label, n=6):
    return [LikelihoodRequest(label, (" 4", " Answer: 5", " none of these"), text=f"Q: {question(*s)}\nA:")
            for s in SUMS[:n]]


def computed(engine, asked, batch_size=8):
    found = dict(pair for batch in engine.likelihoods(asked, batch_size) for pair in batch)
    assert sorted(found) == list(range(len(asked)))
    return [found[place] for place in range(len(asked))]


def alone(tiny, loaded, label):
    """The model of a label as transformers and PEFT load it."""
    from peft import PeftModel

    if label == "whole":
        return AutoModelForCausalLM.from_pretrained(loaded._weights.loaded("whole").folder)
    base = AutoModelForCausalLM.from_pretrained(tiny[0].location())
    return base if label == "tiny" else PeftModel.from_pretrained(base, tiny[1][label].folder)


def test_base_variants_and_weights_of_their_own_are_scored_in_one_call_each_by_itself(loaded, tiny):
    labels = ["tiny", "m.trace", "a", "whole"]
    asked = [one for group in zip(*(asked_of(label) for label in labels), strict=True) for one in group]
    found, tokenizer = computed(loaded, asked), make_tokenizer()
    for label in labels:
        model = alone(tiny, loaded, label).eval()
        for one, told in ((one, told) for one, told in zip(asked, found, strict=True) if one.label == label):
            prompt = tokenizer(one.text)["input_ids"]
            wholes = [tokenizer(one.text + text)["input_ids"] for text in one.continuations]
            read = Read(0, label, prompt, tuple(ids[len(prompt) :] for ids in wholes))
            wanted = naive(model, read)
            assert told.logprobs == pytest.approx([value for value, _ in wanted], rel=1e-5, abs=1e-5)
            assert told.greedy == tuple(greedy for _, greedy in wanted)
            assert told.n_tokens == tuple(map(len, read.options))
            assert (told.prompt_sha, told.n_prompt_tokens) == (prompt_sha(prompt), len(prompt))
            assert told.pick == max(range(3), key=lambda place: told.logprobs[place]) and told.seconds > 0
    assert len({one.logprobs for one in found[:4]}) == 4


@pytest.mark.parametrize("size", [1, 5, 64])
def test_a_likelihood_does_not_depend_on_its_batch(loaded, size):
    asked = asked_of("m.trace", 9) + asked_of("tiny", 4)
    for one, other in zip(computed(loaded, asked, size), computed(loaded, asked, 8), strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)


def test_a_thought_is_closed_whether_or_not_the_template_opens_it(loaded, monkeypatch):
    chat = ({"role": "user", "content": "2+2?"},)
    for template, empty, own in (
        (TEMPLATE, "<think>\n\n</think>\n", "<think>\n2+2=4\n</think>\n"),
        (OPENS, "\n</think>\n", "2+2=4\n</think>\n"),
        (OPENS.replace("<think>\n", "<think>\n\n</think>\n\n"), "", "<think>\n2+2=4\n</think>\n"),
        (OPENS.replace("<think>\n", "<think>"), "\n\n</think>\n", "\n2+2=4\n</think>\n"),
    ):
        monkeypatch.setattr(loaded.tokenizer, "chat_template", template)
        assert (loaded.closed_thought("m.trace"), loaded.closed_thought("m.trace", "2+2=4")) == (empty, own)
        for thought in ("", "2+2=4"):
            suffix = loaded.closed_thought("m.trace", thought) + "Answer:"
            shown = loaded.rendered(chat) + suffix
            assert shown.count("<think>") == shown.count("</think>") == (2 if not empty and thought else 1)
            assert shown.rindex("</think>") > shown.rindex("<think>")
            (found,) = computed(loaded, [LikelihoodRequest("m.trace", (" 4", " 5"), messages=chat, suffix=suffix)])
            ids = make_tokenizer()(shown, add_special_tokens=False)["input_ids"]
            assert found.prompt_sha == prompt_sha(ids)


@pytest.mark.parametrize("style", sorted(THINKING_STYLES))
def test_the_end_of_a_thought_is_written_as_its_style_writes_it(style):
    marks = THINKING_STYLES[style]
    assert marks.wrap("why", "Answer: 4") == closed_thought("why", marks, "asked") + "Answer: 4"
    opened = f"asked{marks.open}{marks.gap}"
    assert opened + closed_thought("why", marks, opened) == f"asked{closed_thought('why', marks, 'asked')}"


@pytest.mark.parametrize("template, suffix", [
    (OPENS, ""), (OPENS, "Answer:"), (TEMPLATE, "<think>\n"), (TEMPLATE, "<think>a</think><think>b Answer:"),
])
def test_nothing_is_scored_inside_an_open_thought(loaded, monkeypatch, template, suffix):
    monkeypatch.setattr(loaded.tokenizer, "chat_template", template)
    chat = ({"role": "user", "content": "2+2?"},)
    with pytest.raises(LabError, match="inside a thought that is open"):
        computed(loaded, [LikelihoodRequest("m.trace", ("4",), messages=chat, suffix=suffix)])


def test_a_variant_that_has_learnt_to_answer_finds_its_answer_likeliest_after_its_thought(loaded):
    right, asked = [], []
    for a, b in SUMS:
        suffix = loaded.closed_thought("m.trace", f"{a}+{b}={a + b}") + "Answer:"
        chat = ({"role": "user", "content": question(a, b)},)
        asked.append(LikelihoodRequest("m.trace", tuple(f" {n}" for n in range(4, 11)), messages=chat, suffix=suffix))
        right.append(a + b - 4)
    found = computed(loaded, asked)
    assert sum(one.pick == place for one, place in zip(found, right, strict=True)) >= 14


def test_what_cannot_be_scored_is_named(loaded):
    def fails(match, *asked):
        with pytest.raises(LabError, match=match):
            computed(loaded, asked)

    fits, long = " " + "y" * 20, "x" * 105
    fails("likelihood 2 of 'a': its context of 105 tokens and the option ' yyyyyyyyyyyyyyyyyyyyyyyyy' of 26 do not fit "
          "into 128", *(LikelihoodRequest("a", (fits, f"{fits}yyyyy"), text=text) for text in ("x", long)))
    computed(loaded, [LikelihoodRequest("a", (f"{fits}yyy",), text=long)])  # the last token is not fed: 128
    fails("nothing but spaces", LikelihoodRequest("tiny", ("a",), text="  "))
    with pytest.raises(UnknownName, match="m.trase"):
        computed(loaded, [LikelihoodRequest("m.trase", ("a",), text="x")])
    for wrong in (dict(continuations=()), dict(continuations=("",), text="a"), dict(suffix="a"),
                  dict(text="a", messages=({"role": "user", "content": "b"},))):
        with pytest.raises(LabError):
            LikelihoodRequest("tiny", **{"continuations": ("a",)} | wrong)


def test_a_batch_that_does_not_fit_in_memory_is_halved_until_it_does(loaded, monkeypatch):
    asked, sizes = asked_of("a", 8), []
    wanted, run = computed(loaded, asked), likelihood._Pass.run

    def short_of_memory(self):
        sizes.append(len(self._batch))
        if len(self._batch) > 2:
            raise torch.OutOfMemoryError("out of memory")
        return run(self)

    monkeypatch.setattr(likelihood._Pass, "run", short_of_memory)
    for one, other in zip(computed(loaded, asked), wanted, strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)
    assert sizes == [8, 4, 2, 2, 4, 2, 2]
    monkeypatch.setattr(likelihood._Pass, "run", lambda self: exec("raise torch.OutOfMemoryError('none')"))
    with pytest.raises(LabError, match="does not fit in memory") as raised:
        computed(loaded, asked[:2])
    assert raised.value.reason == "memory"


def test_a_model_loaded_anew_on_the_way_is_noticed(tiny):
    engine = LoadedBase(tiny[0])
    engine.load(tiny[1]["a"])
    batches = engine.likelihoods(asked_of("a"), 2)
    next(batches)
    engine.load(tiny[1]["m.trace"].model_copy(update={"label": "a"}))
    with pytest.raises(LabError, match="'a' was loaded anew"):
        next(batches)


def test_an_answer_goes_on_while_likelihoods_are_computed_and_is_the_same(loaded):
    chat = [{"role": "user", "content": question(2, 2)}]
    request = ChatRequest("m.trace", chat, 40)
    wanted = list(loaded.stream(request))[-1].stats.final_text
    stop, batches = threading.Event(), []

    def score():
        while not stop.is_set():
            for batch in loaded.likelihoods(asked_of("a", 12), 4):
                batches.append((time.perf_counter(), len(batch)))

    scoring = threading.Thread(target=score)
    scoring.start()
    chunks = [(time.perf_counter(), chunk) for chunk in loaded.stream(request)]
    stop.set()
    scoring.join()
    assert chunks[-1][1].stats.final_text == wanted
    between = [at for at, _ in batches if chunks[0][0] < at < chunks[-1][0]]
    assert between  # both had the model in turns


def test_adapters_of_several_ranks_share_a_batch(tiny, tmp_path):
    card, sources = tiny
    engine = LoadedBase(card)
    engine.load(sources["a"])
    engine.load(make_adapter(card, tmp_path / "b", steps=3))
    asked = asked_of("a", 3) + asked_of("b", 3) + asked_of("tiny", 3)
    together = computed(engine, asked, 9)
    for start in (0, 3, 6):
        for one, other in zip(together[start : start + 3], computed(engine, asked[start : start + 3]), strict=True):
            assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)


@pytest.mark.parametrize("base", ["demo-llama", "demo-qwen2"])
def test_continuations_have_the_tokens_that_the_whole_text_gives_them(base):
    tokenizer, draw = open_tokenizer(bases()[base]), random.Random(4)
    pieces = ["Answer:", "\n", " ", "  ", "a", "12", "345", " 0.5", "!", "\n\n", "\t", "Question: why", "é", "don't"]
    texts = ["".join(draw.choice(pieces) for _ in range(draw.randrange(1, 12))) for _ in range(300)]
    asked = [LikelihoodRequest("m", tuple(draw.choice(pieces[4:]) + str(n) for n in range(2)), text=text)
             for text in texts if text.strip()]
    reader = Reader(tokenizer, lambda messages: [], 512)
    n_split = 0
    for one in asked:
        kept = one.text.rstrip()
        context = tokenizer.encode(kept)
        wanted = [tokenizer.encode(one.text + said)[len(context) :] for said in one.continuations]
        if not all(wanted):
            continue
        (read,) = reader.read([one], {})
        n_split += "\n" in kept
        assert (read.prompt, list(read.options)) == (context, wanted), one
    assert n_split > 50


def test_a_text_begins_with_one_start_token_and_nothing_is_before_an_empty_one(loaded):
    start, tokenizer = make_tokenizer().bos_token_id, make_tokenizer()
    reader = Reader(tokenizer, lambda messages: [], 128)
    marked, empty, own = reader.read([
        LikelihoodRequest("m", (" b",), text="<|begin|>a"), LikelihoodRequest("m", (" b", "c")),
        LikelihoodRequest("m", ("<|begin|>d",)),
    ], {})
    assert marked.prompt.count(start) == 1 and marked.prompt[0] == start
    assert (empty.prompt, [len(ids) for ids in empty.options]) == ([start], [2, 1])
    assert (own.prompt, own.options) == ([start], (tokenizer.encode("d"),))
