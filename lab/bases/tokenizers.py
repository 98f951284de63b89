"""A base's tokenizer as the lab uses it: everywhere the same class, chat template, end of turn and padding. No torch.

AutoTokenizer imports torch in order to look for the class; the three families need two classes. What a card says of
its tokenizer is applied here and nowhere else, so that training, counting, chat and benchmarks read alike.
"""

from __future__ import annotations

import threading
from typing import Any

from lab.bases.cards import BaseCard
from lab.bases.files import from_pretrained
from lab.core.errors import LabError

# transformers loads its parts when they are asked for, and two threads that ask at once can find half a module.
IMPORTING = threading.Lock()


def open_tokenizer(card: BaseCard) -> Any:
    """The base's tokenizer. Raises LabError when its files are not to be had, or it cannot chat."""
    with IMPORTING:
        from transformers import PreTrainedTokenizerFast, Qwen2Tokenizer

    # Qwen2's class splits numbers by its own rule, whatever the folder's tokenizer.json says; Qwen3 uses it, too.
    family = {"llama": PreTrainedTokenizerFast, "qwen2": Qwen2Tokenizer, "qwen3": Qwen2Tokenizer}[card.family]
    tokenizer = from_pretrained(family, card)
    _apply(card, tokenizer)
    _check(card, tokenizer)
    return tokenizer


def _apply(card: BaseCard, tokenizer: Any) -> None:
    if card.chat_template and (card.chat_template_use == "always" or not tokenizer.chat_template):
        tokenizer.chat_template = card.template_text()
    for attribute, token in (("eos_token", card.end_of_turn), ("pad_token", card.pad_token)):
        if token is None:
            continue
        if token not in tokenizer.get_vocab():
            raise LabError(f"base '{card.name}': its card names {attribute} '{token}', which its tokenizer does not "
                           "know. The card is of another version of the model", "data")
        setattr(tokenizer, attribute, token)


def _check(card: BaseCard, tokenizer: Any) -> None:
    """A base that cannot chat, or whose turns end in a token it does not stop at, is refused before it trains."""
    if not tokenizer.chat_template:
        raise LabError(
            f"base '{card.name}' has no chat template, so the lab does not know how to ask it: put a "
            "chat_template.jinja in its folder, or take its Instruct form", "data",
        )
    chat = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    if not tokenizer.apply_chat_template(chat, tokenize=False).rstrip("\n").endswith(str(tokenizer.eos_token)):
        raise LabError(
            f"base '{card.name}': its chat template ends a turn with another token than '{tokenizer.eos_token}', "
            "so it would never learn to stop. Set end_of_turn in its card", "data",
        )
