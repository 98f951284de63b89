"""A tiny base with two adapters, made once for each process that needs it."""

import pytest

from lab.bases.cards import bases


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """(card, {label: ModelSource}) of a base that answers, 'm.trace' that thinks, and 'a', barely trained."""
    from tests.engine.tiny import make_adapter, make_base

    folder = tmp_path_factory.mktemp("tiny")
    card = make_base(folder / "base")
    sources = [make_adapter(card, folder / "m.trace"), make_adapter(card, folder / "a", steps=20)]
    yield card, {source.label: source for source in sources}


@pytest.fixture
def tiny_registered(tiny, monkeypatch):
    """As `tiny`, with the base known by its name."""
    monkeypatch.setitem(bases(), "tiny", tiny[0])
    return tiny
