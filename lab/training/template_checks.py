"""What a base's chat template does to a row: whether it keeps the words, what it adds, and where the turn ends.

A row is learned as prompt + completion + end of turn. Only if the template writes exactly that does the model later see
in chat and benchmarks what it was trained on. No torch; a tokenizer is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from lab.core.types import Example, StyleName, Target
from lab.data.chat import prompt_completion
from lab.data.normalise import MARKS
from lab.training.findings import Finding

AROUND = 30  # characters shown on each side of a difference
ROLES = {"system", "user", "human", "assistant", "model"}


def check_template(
    tokenizer: Any, examples: Sequence[Example], target: Target, style: StyleName
) -> list[Finding]:
    """Findings on a few examples, as `transforms.as_taught` left them. A template treats all rows alike."""
    chats = [prompt_completion(example, target, style) for example in examples]
    prompts = [_prompt(tokenizer, chat) for chat in chats]
    if not prompts:
        return []
    wholes = [tokenizer.apply_chat_template(chat["prompt"] + chat["completion"], tokenize=False) for chat in chats]
    completions = [chat["completion"][0]["content"] + str(tokenizer.eos_token) for chat in chats]
    opened = _opens_thinking(prompts[0])
    return [
        *opened, *([] if opened else _keeps(examples, wholes, list(zip(prompts, completions, strict=True)))),
        *_ends(tokenizer, completions[0]), *_starts(tokenizer, prompts[0]),
        *_adds(tokenizer, examples[0], prompts[0]), *_borders(tokenizer, prompts, completions),
    ]


def check_prompts(tokenizer: Any, examples: Sequence[Example]) -> list[Finding]:
    """The part of it that holds without a completion: for reinforcement learning."""
    prompts = [_prompt(tokenizer, prompt_completion(example, "gold")) for example in examples[:1]]
    if not prompts:
        return []
    return [*_starts(tokenizer, prompts[0]), *_adds(tokenizer, examples[0], prompts[0])]


def _prompt(tokenizer: Any, chat: dict[str, Any]) -> str:
    return tokenizer.apply_chat_template(chat["prompt"], tokenize=False, add_generation_prompt=True)


def _keeps(examples: Sequence[Example], wholes: Sequence[str], rows: Sequence[tuple[str, str]]) -> list[Finding]:
    """Whether the template writes prompt + completion, word for word; where not, what it writes instead."""
    changed = [place for place, whole in enumerate(wholes) if not whole.startswith("".join(rows[place]))]
    if not changed:
        return []
    first = changed[0]
    words = f"{len(changed)} of {len(wholes)} rows looked at: {difference(''.join(rows[first]), wholes[first])}"
    ids = tuple(examples[place].id for place in changed[:5])
    return [Finding("refused", "template", f"the base's chat template does not keep the row ({words}), so the model "
                    "would learn something else than the row says. Use a template that keeps the answer's words "
                    "(chat_template in the base's card)", ids)]


def difference(wanted: str, written: str) -> str:
    """Where two texts part, with what stands there in each."""
    same = next((place for place, (a, b) in enumerate(zip(wanted, written, strict=False)) if a != b),
                min(len(wanted), len(written)))
    # A word's difference reads better from the start of what was inserted or left out.
    match = SequenceMatcher(None, wanted[same : same + 200], written[same : same + 200], autojunk=False)
    block = max(match.get_matching_blocks(), key=lambda found: found.size)
    ends = (same + (block.a if block.size > 3 else AROUND), same + (block.b if block.size > 3 else AROUND))
    before = repr(wanted[max(0, same - AROUND) : same])
    return (f"after {before} the row has {_quoted(wanted[same : ends[0]])}, "
            f"the template writes {_quoted(written[same : ends[1]])}")


def _quoted(text: str) -> str:
    return repr(text[: 2 * AROUND] + ("…" if len(text) > 2 * AROUND else "")) if text else "nothing"


def _opens_thinking(prompt: str) -> list[Finding]:
    """A generation prompt that ends within a thought: every completion would begin inside it."""
    for opening, closing in MARKS.values():
        opened = list(opening.finditer(prompt))
        if opened and not closing.search(prompt, opened[-1].end()) and not prompt[opened[-1].end():].strip():
            return [Finding("refused", "template", f"the base's generation prompt already opens thinking "
                            f"({opened[-1][0]!r}): a row that thinks would open it twice, one that does not would "
                            "answer inside a thought. Use a template without it")]
    return []


def _ends(tokenizer: Any, completion: str) -> list[Finding]:
    """Whether the last learned token is the one that generation stops at, and the only one."""
    ids = tokenizer(completion, add_special_tokens=False)["input_ids"]
    if not ids or ids[-1] != tokenizer.eos_token_id:
        return [Finding("refused", "end of turn", f"the end of the turn '{tokenizer.eos_token}' is not learned as the "
                        "token that generation stops at, so the model would not learn to stop")]
    if tokenizer.pad_token_id == tokenizer.eos_token_id:
        return [Finding("note", "end of turn", f"the base pads with its end of turn '{tokenizer.eos_token}'. The lab "
                        "marks padding by the attention mask and labels, so the end is learned all the same")]
    return []


def _starts(tokenizer: Any, prompt: str) -> list[Finding]:
    ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    start = tokenizer.bos_token_id
    if start is None or ids[:2] != [start, start]:
        return []
    return [Finding("warning", "template", f"every prompt begins with '{tokenizer.bos_token}' twice")]


def _adds(tokenizer: Any, example: Example, prompt: str) -> list[Finding]:
    """Words that the template puts before the question: the same in training, chat and benchmarks."""
    before = prompt.partition(example.question)[0]
    for special in sorted(tokenizer.get_added_vocab(), key=len, reverse=True):
        before = before.replace(special, "\n")
    lines = [line.strip() for line in before.splitlines()]
    said = [line for line in lines if line and line.lower() not in ROLES and any(map(str.isalnum, line))]
    found = []
    if len(" ".join(said).split()) > 1:
        found.append(Finding("note", "template", f"the template itself adds {_quoted(' '.join(said))} before every "
                             "question, in all arms, in training as in chat and benchmarks"))
    if "strftime_now" in str(tokenizer.chat_template):
        found.append(Finding("warning", "template", "the template writes the date of the day into the prompt: a model "
                             "is asked tomorrow with another prompt than it was trained on"))
    return found


def _borders(tokenizer: Any, prompts: Sequence[str], completions: Sequence[str]) -> list[Finding]:
    """Rows whose prompt is other tokens when it is read together with the completion. Training reads them apart."""
    apart = [tokenizer(p, add_special_tokens=False)["input_ids"] + tokenizer(c, add_special_tokens=False)["input_ids"]
             for p, c in zip(prompts, completions, strict=True)]
    whole = [tokenizer(p + c, add_special_tokens=False)["input_ids"]
             for p, c in zip(prompts, completions, strict=True)]
    n = sum(a != w for a, w in zip(apart, whole, strict=True))
    if not n:
        return []
    return [Finding("note", "tokens", f"{n} of {len(prompts)} rows looked at are other tokens when prompt and answer "
                    "are read as one text. The lab reads them apart, as generation does")]
