"""An encoder of a few thousand random weights, made here: pooling, instruction, identity."""

import shutil

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from lab.core.errors import LabError
from lab.core.types import Example
from lab.data.dataset import Dataset, datasets
from lab.engine._embedding import INSTRUCTION, Encoder
from lab.engine.adapt import Adaptation
from lab.engine.neighbours import open_neighbours

WORDS = "represent this sentence for searching relevant passages fever cough days of and rash since pain leg".split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A BERT of one layer with a vocabulary of a few words."""
    folder = tmp_path_factory.mktemp("encoder")
    vocabulary = {word: place for place, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", cls_token="[CLS]").save_pretrained(folder)
    torch.manual_seed(0)
    sizes = dict(hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2)
    # Large first weights: with BERT's own 0.02 every text would look the same.
    BertModel(BertConfig(vocab_size=len(vocabulary), initializer_range=0.5, **sizes)).save_pretrained(folder)
    return folder


def by_hand(folder, text):
    """(T, D) of one text alone, without padding."""
    model = BertModel.from_pretrained(folder).eval()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    with torch.no_grad():
        return model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].numpy()


def test_cls_is_the_first_token_at_length_one_and_a_question_is_asked_with_the_instruction(folder):
    encoder = Encoder(str(folder), "cls")
    made = encoder.vectors(["fever", "cough and rash since days of fever"])
    for vector, text in zip(made, ["fever", "cough and rash since days of fever"], strict=True):
        first = by_hand(folder, text)[0]
        np.testing.assert_allclose(vector, first / np.linalg.norm(first), rtol=1e-4, atol=1e-5)
    first = by_hand(folder, INSTRUCTION + "fever")[0]
    np.testing.assert_allclose(encoder.asked("fever"), first / np.linalg.norm(first), rtol=1e-4, atol=1e-5)


def test_mean_leaves_padding_out_takes_no_instruction_and_measures_l2(folder):
    encoder = Encoder(str(folder), "mean")
    texts = ["fever", "cough and rash since days of fever"]
    made = encoder.vectors(texts)
    for vector, text in zip(made, texts, strict=True):
        np.testing.assert_allclose(vector, by_hand(folder, text).mean(0), rtol=1e-4, atol=1e-5)
    near, cosine = encoder.space(made).closeness("fever")
    assert near[0] == pytest.approx(0, abs=1e-4) and near[1] == pytest.approx(-np.linalg.norm(made[0] - made[1]), 1e-3)
    assert cosine[0] == pytest.approx(1, abs=1e-5)


def test_an_index_by_an_encoder_names_its_weights_and_pooling(folder, tmp_path, monkeypatch):
    rows = [Example(id=t, question=t, trace="t", answer="a", gold="g") for t in ("fever and rash", "leg pain", "cough")]
    monkeypatch.setitem(datasets(), "few", Dataset("few", "Few", "", "here", "none", lambda: rows))
    settings = Adaptation(mode="nearest", dataset="few", embedder=str(folder), pooling="mean")
    index = open_neighbours(settings, tmp_path)
    found = index.nearest("fever and rash since days", 2)
    assert found.similarities[0] >= found.similarities[1] and found.similarities[0] < 0
    assert open_neighbours(settings, tmp_path).nearest("leg pain of days", 1) == index.nearest("leg pain of days", 1)
    copy = shutil.copytree(folder, tmp_path / "copy")
    marks = {name: Encoder(str(place), pooling).identity for name, place, pooling in
             (("mean", folder, "mean"), ("cls", folder, "cls"), ("moved", copy, "mean"))}
    assert marks["mean"] == marks["moved"] != marks["cls"]
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    assert Encoder(str(copy), "mean").identity != marks["mean"]


def test_an_encoder_that_is_not_there_is_a_plain_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # it is read from the environment once
    with pytest.raises(LabError, match="holds no config.json"):
        Encoder(str(tmp_path), "cls")
    with pytest.raises(LabError, match="embedder 'nobody/no-encoder-here': .*'tfidf' needs no download"):
        Encoder("nobody/no-encoder-here", "cls")
