"""The embedded bases' tokenizers: byte-level BPE in which every number from 0 to 999 is one token.

Numbers as single tokens and equations without spaces are what lets a model of a million parameters learn arithmetic.
Llama 3 groups three digits anyway, so its numbers are plain merges. transformers gives every Qwen2 model its own
splitting rule, digit by digit, whatever the folder says; there the numbers are added tokens, which are cut out first.
"""

from __future__ import annotations

import json
import random
import re

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen2Tokenizer

from lab.bases.demo.designs import Design
from lab.bases.demo.pretraining_text import TAGS, document

# Up to three digits; a word with its space; one sign with its space; one blank.
LLAMA_PIECES = r"\d{1,3}| ?[A-Za-z]+| ?[^\sA-Za-z\d]|\s"
N_DOCUMENTS = 12000
ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())
CUTS = re.compile(r"<\|\w+\|>|</?think>|\d+")


def _words(design: Design) -> list[str]:
    """Pre-training text cut at numbers and chat marks: what the word merges are learned from."""
    rng = random.Random(f"tokenizer/{design.name}/{design.seed}")
    texts = ("".join(text for text, _ in document(rng, design.marks)) for _ in range(N_DOCUMENTS))
    return [part for text in texts for part in CUTS.split(text) if part]


def _merges(design: Design, pieces: pre_tokenizers.PreTokenizer) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """The vocabulary and merges learned under a splitting rule."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pieces
    trainer = trainers.BpeTrainer(
        vocab_size=len(ALPHABET) + design.n_merges, initial_alphabet=ALPHABET, show_progress=False
    )
    tokenizer.train_from_iterator(_words(design), trainer)
    trained = json.loads(tokenizer.to_str())["model"]
    return trained["vocab"], [tuple(pair) for pair in trained["merges"]]


def _add_number_merges(vocab: dict[str, int], merges: list[tuple[str, str]]) -> None:
    """Make 10..999 one token each. Of '110' BPE may join the last two digits first, so 100..999 have two ways in."""
    for number in range(10, 1000):
        text = str(number)
        vocab[text] = len(vocab)
        merges.append((text[:-1], text[-1]))
        if number >= 100 and text[1] != "0":
            merges.append((text[0], text[1:]))


def _llama(design: Design) -> PreTrainedTokenizerFast:
    split = pre_tokenizers.Split(Regex(LLAMA_PIECES), "isolated")
    pieces = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    vocab, merges = _merges(design, pieces)
    _add_number_merges(vocab, merges)
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    tokenizer.pre_tokenizer = pieces
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(mark, special=True) for mark in design.special])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=design.begin, **_settings(design))


def _qwen2(design: Design) -> PreTrainedTokenizerFast:
    vocab, merges = _merges(design, Qwen2Tokenizer().backend_tokenizer.pre_tokenizer)
    for mark in design.special:
        vocab[mark] = len(vocab)
    tokenizer = Qwen2Tokenizer(vocab=vocab, merges=merges, unk_token=design.special[0], **_settings(design))
    tokenizer.add_tokens([AddedToken(mark, special=True) for mark in design.special], special_tokens=True)
    tokenizer.add_tokens([AddedToken(str(number), special=False, normalized=False) for number in range(10, 1000)])
    return tokenizer


def _settings(design: Design) -> dict[str, object]:
    return {
        "eos_token": design.end_of_turn,
        "pad_token": design.special[0],
        "chat_template": design.template(),
        "model_max_length": design.context,
        "clean_up_tokenization_spaces": False,
    }


def build_tokenizer(design: Design) -> PreTrainedTokenizerFast:
    """Train on the design's own text and seed; the thinking tags are plain added tokens, so decoding keeps them."""
    tokenizer = _llama(design) if design.family == "llama" else _qwen2(design)
    tokenizer.add_tokens([AddedToken(tag, special=False, normalized=False) for tag in (TAGS.open, TAGS.close)])
    return tokenizer
