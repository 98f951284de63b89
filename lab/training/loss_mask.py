"""The loss mask, shown: a row cut into its tokens, each with the part it belongs to and whether it is learned.

The texts and the tokenizer calls are those of `rows.py`; a test holds the pieces against the labels of a real trainer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lab.core.types import StyleName
from lab.data.targets import THINKING_STYLES
from lab.training.findings import Part, Piece


def row_pieces(prompt: str, completion: str, tokenizer: Any, style: StyleName) -> tuple[Piece, ...]:
    """The prompt's tokens, read; then the completion's, learned. They are tokenised apart, as in training."""
    return (*prompt_pieces(prompt, tokenizer), *completion_pieces(completion, tokenizer, style))


def prompt_pieces(prompt: str, tokenizer: Any) -> tuple[Piece, ...]:
    """A prompt alone."""
    return _cut(prompt, tokenizer, lambda place: "prompt", learned=False)


def completion_pieces(completion: str, tokenizer: Any, style: StyleName) -> tuple[Piece, ...]:
    """A completion with its end of turn."""
    parts = _parts(completion, tokenizer.eos_token, style)
    return _cut(completion, tokenizer, lambda place: next(part for end, part in parts if place < end), learned=True)


def _parts(completion: str, eos: str, style: StyleName) -> list[tuple[int, Part]]:
    """(where it ends, part), in order. The last closing mark decides, as in the engine. No opening: no thinking."""
    marks, whole = THINKING_STYLES[style], len(completion)
    end = whole - len(eos) if eos and completion.endswith(eos) else whole
    found: list[tuple[int, Part]] = []
    if completion.startswith(marks.open):
        close = completion.rfind(marks.close, 0, end)
        found.append((len(marks.open), "mark"))
        found.append((close if close >= 0 else end, "thinking"))
        if close >= 0:
            found.append((close + len(marks.close), "mark"))
    return [*found, (end, "answer"), (whole, "end")]


def _cut(text: str, tokenizer: Any, part_at: Callable[[int], Part], learned: bool) -> tuple[Piece, ...]:
    """One piece a token. Text between two tokens goes to the second; tokens without text of their own join the first.

    Byte-level tokenizers spread a character over several tokens that all name the same place in the text.
    """
    if not text:
        return ()
    offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    pieces: list[Piece] = []
    shown = 0
    for number, (_, end) in enumerate(offsets):
        stop = len(text) if number == len(offsets) - 1 else end
        if stop <= shown and pieces:
            last = pieces[-1]
            pieces[-1] = Piece(last.text, last.part, last.learned, last.n_tokens + 1)
            continue
        words = text[shown:stop]
        first = shown + len(words) - len(words.lstrip()) if words.strip() else shown
        pieces.append(Piece(words, part_at(first), learned))
        shown = stop
    return tuple(pieces)
