"""The embedded bases' tokenizers: byte-level BPE in which every number from 0 to 999 is one token.

Numbers as single tokens and equations without spaces are what lets a model of a million parameters learn arithmetic.
"""

from __future__ import annotations

import json
import random
import re
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from lab.bases.demo.designs import Design
from lab.bases.demo.pretraining_text import TAGS, document

# Up to three digits; a word with its space; one sign with its space; one blank.
PIECES = r"\d{1,3}| ?[A-Za-z]+| ?[^\sA-Za-z\d]|\s"
N_DOCUMENTS = 12000


def _pieces() -> Any:
    split = pre_tokenizers.Split(Regex(PIECES), "isolated")
    return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def _text(design: Design) -> list[str]:
    """Pre-training text without numbers and chat marks: what the word merges are learned from."""
    rng = random.Random(f"tokenizer/{design.name}/{design.seed}")
    whole = ("".join(text for text, _ in document(rng, design.marks)) for _ in range(N_DOCUMENTS))
    marks = re.compile(r"<\|\w+\|>|</?think>|\d+")
    return [marks.sub(" ", text) for text in whole]


def _with_numbers(trained: dict[str, Any]) -> dict[str, Any]:
    """Add the merges that make 10..999 one token each: tens first, then hundreds from a two-digit token and a digit."""
    vocab, merges = trained["model"]["vocab"], trained["model"]["merges"]
    for number in range(10, 1000):
        text = str(number)
        merges.append([text[:-1], text[-1]])
        vocab[text] = len(vocab)
    for text in ("00", *(f"0{d}" for d in range(1, 10))):  # 2000 is '200' '0'; a leading zero stays two tokens
        assert text not in vocab
    return trained


def build_tokenizer(design: Design) -> PreTrainedTokenizerFast:
    """Train on the design's own text and seed; the thinking tags are plain added tokens, so decoding keeps them."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = _pieces()
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=len(alphabet) + design.n_merges, initial_alphabet=sorted(alphabet), show_progress=False
    )
    tokenizer.train_from_iterator(_text(design), trainer)
    tokenizer = Tokenizer.from_str(json.dumps(_with_numbers(json.loads(tokenizer.to_str()))))
    tokenizer.add_special_tokens([AddedToken(mark, special=True) for mark in design.special])
    tokenizer.add_tokens([AddedToken(tag, special=False, normalized=False) for tag in (TAGS.open, TAGS.close)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=design.begin if design.family == "llama" else None,
        eos_token=design.end_of_turn,
        pad_token=design.special[0],
        chat_template=design.template(),
        model_max_length=design.context,
        clean_up_tokenization_spaces=False,
    )
