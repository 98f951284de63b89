"""A seeded store and the app on it, shared by the tests of pages."""

from dataclasses import replace

import pytest

from lab.bases.cards import BaseCard, bases
from lab.core.settings import Settings
from lab.training import counting
from lab.ui.app_state import LabApp
from storage.database import Store
from tests.stores import new_store
from tests.ui.seed_store import seed_store


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    """A finished study (number 1), a running one (number 2) and 30 old jobs."""
    made = new_store(tmp_path_factory.mktemp("home"))
    seed_store(made, more_jobs=30)
    yield made
    made.close()


@pytest.fixture(scope="module")
def lab(store) -> LabApp:
    return LabApp(store, Settings.from_env({"LAB_HOME": str(store.home)}))


@pytest.fixture(scope="module")
def space(lab) -> LabApp:
    return replace(lab, settings=replace(lab.settings, space=True))


@pytest.fixture
def two_bases(monkeypatch) -> None:
    """Base cards with known speeds and row lengths, whatever bases this checkout has."""
    speeds = {"sft_tokens_per_s": {"trace": 4000.0, "answer": 3000.0}}
    for name, family in (("demo-llama", "llama"), ("demo-qwen2", "qwen2")):
        card = BaseCard(name=name, title=name, family=family, path=name, license="MIT", parameters=1_000_000,
                        context_tokens=512, training=speeds)
        monkeypatch.setitem(bases(), name, card)
    lengths = tuple(counting.Length(50, 300 if index == 0 else 150) for index in range(100))
    monkeypatch.setattr(counting, "_lengths", lambda *asked: lengths)
