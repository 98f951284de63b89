"""The files of a round as the page saves them, a round that goes to another lab, and the votes that come back."""

from __future__ import annotations

import io
import zipfile

import pytest

from lab.core.errors import LabError
from lab.core.settings import Settings
from lab.ui.app_state import SPACE_SENTENCE, LabApp
from lab.ui.ratings.files import bundle_of, files_shown, receive_file, sent_of, votes_of
from storage.database import open_store
from storage.queries.ratings import list_rounds, progress
from storage.queries.rounds import close_round
from tests.rating.rounds import A, B, join, rate_all
from tests.ui.rounds_here import new_round


@pytest.fixture
def away(tmp_path) -> LabApp:
    store = open_store(home=tmp_path / "away")
    yield LabApp(store, Settings.from_env({"LAB_HOME": str(store.home.path)}))
    store.close()


def inside(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as bundle:
        return {name.rsplit("/", 1)[-1]: bundle.read(name).decode() for name in bundle.namelist()}


def test_bundles_open_with_the_results_and_the_blinded_one_names_no_model(lab, store):
    made = new_round(store)
    rate_all(store, join(store, made.id, "R1")[0])
    with pytest.raises(LabError, match="open"):
        bundle_of(store, str(made.id), False)
    words, opened, sending, homeward = files_shown(lab, str(made.id), False)
    assert "Ratings open with the results" in words and not opened["visible"] and sending["visible"]
    assert not homeward["visible"]
    close_round(store, made.id)
    name, data = bundle_of(store, str(made.id), False)
    assert name.endswith(".zip") and A in "".join(inside(data).values()) and "ratings.csv" in inside(data)
    blinded = "".join(inside(bundle_of(store, str(made.id), True)[1]).values())
    assert A not in blinded and B not in blinded


def test_a_round_goes_to_another_lab_and_its_votes_come_home(lab, away, store, tmp_path):
    made = new_round(store)
    sent, home = tmp_path / "sent.zip", tmp_path / "votes.zip"
    sent.write_bytes(sent_of(store, str(made.id))[1])
    number, words = receive_file(away, str(sent))
    assert "can be rated" in words and number
    *_, sending, homeward = files_shown(away, number, False)
    assert homeward["visible"] and not sending["visible"]
    rate_all(away.store, join(away.store, int(number), "R1")[0])
    home.write_bytes(votes_of(away.store, number)[1])
    back, words = receive_file(lab, str(home))
    assert back == str(made.id) and "6" in words
    with store.read() as session:
        assert progress(session, made.id).n_ratings == 6


def test_a_broken_file_and_the_public_demo_leave_everything_as_it_was(away, space, tmp_path):
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"not a bundle")
    number, words = receive_file(away, str(broken))
    assert number == "" and "That did not work" in words
    assert SPACE_SENTENCE in receive_file(space, str(broken))[1]
    with away.store.read() as session:
        assert list_rounds(session) == []
