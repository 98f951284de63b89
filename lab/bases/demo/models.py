"""The embedded bases' networks, from their designs."""

from __future__ import annotations

import torch
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from lab.bases.demo.designs import Design


def build_model(design: Design, tokenizer: PreTrainedTokenizerFast) -> PreTrainedModel:
    """A fresh network with the design's seed; input and output embeddings are tied."""
    torch.manual_seed(design.seed)
    values = dict(
        vocab_size=len(tokenizer),
        hidden_size=design.hidden,
        intermediate_size=design.feed_forward,
        num_hidden_layers=design.layers,
        num_attention_heads=design.heads,
        num_key_value_heads=design.kv_heads,
        max_position_embeddings=design.context,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    if design.family == "llama":
        return LlamaForCausalLM(LlamaConfig(**values))
    return Qwen2ForCausalLM(Qwen2Config(**values))
