"""The lines that load an export with plain transformers (and peft), as the card shows them. A test runs them."""

from __future__ import annotations

from dataclasses import dataclass

from lab.bases.cards import BaseCard

BASE_FOLDER = "base"  # inside an adapter's export, for a base that is on no hub
QUESTION = "A question, with its options one per line?"
MARKS = "{HUB}", "{MODEL}", "{BASE}", "{ENDS}", "{QUESTION}"

LOAD_WHOLE = """\
import torch
{HUB}from transformers import AutoModelForCausalLM, AutoTokenizer

MODEL = {MODEL}
tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForCausalLM.from_pretrained(MODEL, dtype="auto").eval()
"""

LOAD_ADAPTER = """\
import torch
{HUB}from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

MODEL = {MODEL}
tokenizer = AutoTokenizer.from_pretrained(MODEL)
base = AutoModelForCausalLM.from_pretrained({BASE}, dtype="auto")
model = PeftModel.from_pretrained(base, MODEL).eval()
"""

ASK = """
chat = [{"role": "user", "content": "{QUESTION}"}]
prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
with torch.inference_mode():
    said = model.generate(**prompt, max_new_tokens=512, do_sample=False, eos_token_id={ENDS})
print(tokenizer.decode(said[0, prompt["input_ids"].shape[1]:], skip_special_tokens=False))
"""


@dataclass(frozen=True)
class Loading:
    """What the lines depend on. `model` is '.' for a folder, or its place on the hub."""

    model: str
    whole: bool  # full weights, merged or trained so; else an adapter on its base
    base: BaseCard
    carries_base: bool  # the base's files lie in the export
    ends: tuple[int, ...]  # ids that end an answer


def snippet(loading: Loading, question: str = QUESTION) -> str:
    """Python that prints the model's answer to one question."""
    text = (LOAD_WHOLE if loading.whole else LOAD_ADAPTER) + ASK
    # transformers finds the adapter beside a base in a subfolder and looks for its base instead: a full path does not.
    fetched = loading.carries_base and loading.model != "."
    model = f'snapshot_download("{loading.model}")' if fetched else f'"{loading.model}"'
    hub = "from huggingface_hub import snapshot_download\n" if fetched else ""
    values = (hub, model, _base(loading), str(list(loading.ends)), question)
    for mark, value in zip(MARKS, values, strict=True):
        text = text.replace(mark, value)
    return text


def _base(loading: Loading) -> str:
    """The first arguments of the base's from_pretrained."""
    if loading.carries_base:
        return f'MODEL + "/{BASE_FOLDER}"'
    if loading.base.hub_id is None:
        return f'"path/to/{loading.base.label}"'
    pinned = f', revision="{loading.base.revision}"' if loading.base.revision else ""
    return f'"{loading.base.hub_id}"{pinned}'
