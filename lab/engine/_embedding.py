"""Embedding: questions as vectors of a sentence encoder (BERT and its kin), through transformers. Not a base: it never
answers.

cls   the first token's vector, length one, cosine; a question is asked with the instruction of bge's model card
      (BAAI/bge-large-en-v1.5), examples without.
mean  the mean over all tokens, L2, no instruction: FineMedLM-o1's TTT/TTT.py with its FAISS IndexFlatL2.

B: texts of a batch. T: tokens. D: width of the encoder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from lab.bases.files import cached, fetched
from lab.core.errors import LabError

INSTRUCTION = "Represent this sentence for searching relevant passages: "
BATCH = 32
LONGEST = 512  # tokens; BERT knows no more
FILES = ("config.json", "*.safetensors", "*.bin", "tokenizer.json", "tokenizer_config.json", "vocab.txt", "*.model")


class Encoder:
    """An encoder from a local folder or the hub ('org/name', with '@revision' if one is meant)."""

    def __init__(self, name: str, pooling: Literal["cls", "mean"]):
        self.pooling = pooling
        self._name, _, revision = name.partition("@")
        self._revision = revision or None
        self.identity = f"{self._files()} {pooling} 1"

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """(texts, D), float32."""
        # Texts of like length share a batch: little padding, and the same vector up to the order of additions.
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        made: list[Any] = [None] * len(texts)
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            for place, vector in zip(places, self._embed([texts[p] for p in places]), strict=True):
                made[place] = vector
        return np.stack(made)

    def space(self, vectors: np.ndarray) -> EncoderSpace:
        return EncoderSpace(self, vectors)

    def asked(self, question: str) -> np.ndarray:
        """The vector of a question, (D,)."""
        return self._embed([INSTRUCTION + question if self.pooling == "cls" else question])[0]

    def _embed(self, texts: list[str]) -> np.ndarray:
        tokenizer, model = self._loaded
        device = next(model.parameters()).device
        encoded = tokenizer(texts, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt").to(device)
        with torch.inference_mode():
            hidden = model(**encoded).last_hidden_state.float()  # (B, T, D)
        if self.pooling == "cls":
            pooled = torch.nn.functional.normalize(hidden[:, 0], dim=-1)  # (B, D)
        else:
            mask = encoded["attention_mask"][..., None]  # (B, T, 1)
            pooled = (hidden * mask).sum(1) / mask.sum(1)  # (B, D)
        return pooled.cpu().numpy()

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        """(tokenizer, model): opened at the first text, so that a kept index costs no encoder until it is asked."""
        from transformers import AutoModel, AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(self._name, revision=self._revision or "main")
            model = AutoModel.from_pretrained(self._name, revision=self._revision or "main")
        except (OSError, ValueError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise LabError(f"embedder '{self._name}' cannot be read: {reason}", "data") from error
        return tokenizer, model.to("cuda" if torch.cuda.is_available() else "cpu").eval()

    def _files(self) -> str:
        """sha256 of a folder's files, or the hub's commit: what decides a vector."""
        folder = Path(self._name).expanduser()
        if folder.is_dir():
            self._name = str(folder)
            return _digest(folder)
        try:
            config = cached(self._name, self._revision) or fetched(self._name, self._revision)
        except LabError as error:
            raise LabError(
                f"embedder '{self._name}': {error}. 'tfidf' needs no download; a local folder works, too", error.reason
            ) from error
        return f"{self._name}@{config.parent.name}"  # the folder in the hub's cache is called as the commit


class EncoderSpace:
    """Examples as vectors of an encoder."""

    def __init__(self, encoder: Encoder, vectors: np.ndarray):
        self._encoder, self._vectors = encoder, vectors
        self._lengths = np.maximum(np.linalg.norm(vectors, axis=1), 1e-12)

    def closeness(self, question: str) -> tuple[np.ndarray, np.ndarray]:
        """(cosine, or minus the L2 distance of mean pooling; cosine) of every example."""
        asked = self._encoder.asked(question)
        cosine = (self._vectors @ asked) / (self._lengths * max(float(np.linalg.norm(asked)), 1e-12))
        if self._encoder.pooling == "cls":
            return cosine, cosine
        return -np.linalg.norm(self._vectors - asked, axis=1), cosine


def _digest(folder: Path) -> str:
    files = sorted({file for pattern in FILES for file in folder.glob(pattern)})
    if not (folder / "config.json").is_file():
        raise LabError(f"embedder '{folder}': the folder holds no config.json, so it is no encoder that transformers "
                       "reads. Give the folder of a downloaded model, or 'tfidf'", "data")
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            digest.update(f"{file.name}:{hashlib.file_digest(opened, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()
