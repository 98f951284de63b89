"""A tiny base with two adapters, made once for a whole test run: its processes share the folder."""

import fcntl
import pickle

import pytest

from lab.bases.cards import bases


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """(card, {label: ModelSource}) of a base that answers, 'm.trace' that thinks, and 'a', barely trained."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if base.name.startswith("popen-") else base) / "tiny"  # xdist gives each process its own
    folder.mkdir(exist_ok=True)
    made = folder / "made.pickle"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            made.write_bytes(pickle.dumps(make_all(folder)))
    return pickle.loads(made.read_bytes())


def make_all(folder):
    from tests.engine.tiny import make_adapter, make_base

    card = make_base(folder / "base")
    sources = [make_adapter(card, folder / "m.trace"), make_adapter(card, folder / "a", steps=20)]
    return card, {source.label: source for source in sources}


@pytest.fixture
def tiny_registered(tiny, monkeypatch):
    """As `tiny`, with the base known by its name."""
    monkeypatch.setitem(bases(), "tiny", tiny[0])
    return tiny


@pytest.fixture(scope="module")
def with_a_whole_model(tiny, tmp_path_factory):
    """The base, both adapters, and 'whole': weights of its own with noise in them."""
    import torch
    from transformers import AutoModelForCausalLM

    from lab.core.types import ModelSource
    from lab.engine._hf import LoadedBase
    from tests.engine.tiny import make_tokenizer

    card, sources = tiny
    folder = tmp_path_factory.mktemp("whole")
    model = AutoModelForCausalLM.from_pretrained(card.location())
    torch.manual_seed(5)
    for weight in model.parameters():
        weight.data += torch.randn_like(weight) * 0.02
    model.save_pretrained(folder)
    make_tokenizer().save_pretrained(folder)
    engine = LoadedBase(card)
    for source in sources.values():
        engine.load(source)
    engine.load(ModelSource(ref="whole", label="whole", base="tiny", folder=str(folder), kind="full"))
    return engine
