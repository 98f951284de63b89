"""A base of a few thousand parameters, taught by heart to answer small sums, and adapters on it. Made in seconds."""

from __future__ import annotations

from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from lab.bases.cards import BaseCard
from lab.core.types import ModelSource

SUMS = [(a, b) for a in range(2, 6) for b in range(2, 6)]
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>{{ m.content }}"
    "{% if m.role == 'assistant' %}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def question(a: int, b: int) -> str:
    # Prompts of different lengths, so that a batch has padding.
    return f"{a}+{b}?" if a < b else f"what is {a}+{b}, please?"


def answer(a: int, b: int) -> str:
    return f"Answer: {a + b}"


def thought_answer(a: int, b: int) -> str:
    return f"<think>\n{a}+{b}={a + b}\n</think>\nAnswer: {a + b}"


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level without merges: every byte is a token, so 'é' takes two."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    marks = ["<|pad|>", "<|begin|>", "<|end|>", "<|user|>", "<|assistant|>"]
    tokenizer.add_special_tokens([AddedToken(mark, special=True) for mark in marks])
    tokenizer.add_tokens([AddedToken(tag, special=False, normalized=False) for tag in ("<think>", "</think>")])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|begin|>",
        eos_token="<|end|>",
        pad_token="<|pad|>",
        chat_template=TEMPLATE,
        clean_up_tokenization_spaces=False,
    )


def make_base(folder: Path) -> BaseCard:
    """Write a base that answers the sums without thinking; its card."""
    torch.manual_seed(0)
    tokenizer = make_tokenizer()
    sizes = dict(hidden_size=48, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            max_position_embeddings=128,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            **sizes,
        )
    )
    _teach(model, tokenizer, answer, steps=120, rate=4e-3)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return BaseCard(
        name="tiny",
        title="Tiny",
        family="llama",
        path=str(folder),
        license="none",
        parameters=model.num_parameters(),
        context_tokens=128,
    )


def make_adapter(card: BaseCard, folder: Path, text=thought_answer, steps: int = 150) -> ModelSource:
    """Teach a LoRA adapter another way to answer; where it lies."""
    torch.manual_seed(1)
    config = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(LlamaForCausalLM.from_pretrained(card.location()), config)
    _teach(model, make_tokenizer(), text, steps=steps, rate=8e-3)
    model.save_pretrained(folder)
    name = folder.name
    return ModelSource(ref=name, label=name, base=card.name, folder=str(folder), kind="adapter", arm="trace")


def _teach(model, tokenizer, text, steps: int, rate: float) -> None:
    torch.set_num_threads(1)  # with more, on a busy machine, this takes minutes
    chats = [[{"role": "user", "content": question(*s)}, {"role": "assistant", "content": text(*s)}] for s in SUMS]
    rows = [tokenizer.apply_chat_template(chat, return_dict=True)["input_ids"] for chat in chats]
    width = max(map(len, rows))
    ids = torch.tensor([row + [tokenizer.pad_token_id] * (width - len(row)) for row in rows])
    labels = torch.where(ids == tokenizer.pad_token_id, -100, ids)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=rate)
    decay = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, steps)
    for _ in range(steps):
        loss = model(input_ids=ids, labels=labels, attention_mask=(labels != -100).long()).loss
        loss.backward()
        optimizer.step()
        decay.step()
        optimizer.zero_grad()
