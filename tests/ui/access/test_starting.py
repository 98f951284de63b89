"""A lab that others can reach does not start without somebody who may log in; `python app.py` says so in a sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lab.core.errors import LabError, SpecError
from lab.core.settings import Settings
from lab.ui.access.starting import check_accounts, check_login
from storage.database import open_store
from storage.queries.accounts import add_account, set_disabled
from tests.ui.access.conftest import NAME, PASSWORD
from tests.ui.test_app import ROOT, environment, free_port


def settings(home: Path, **env: str) -> Settings:
    return Settings.from_env({"LAB_HOME": str(home)} | env)


def test_an_account_that_can_log_in_is_what_a_reachable_lab_needs(tmp_path):
    store, reachable = open_store(home=tmp_path), settings(tmp_path, LAB_HOST="0.0.0.0")
    with pytest.raises(LabError, match="Others can reach 0.0.0.0.*no account.*python -m jobs users add NAME"):
        check_accounts(reachable, store)
    with pytest.raises(LabError, match="LAB_LOGIN is on, and there is no account"):
        check_accounts(settings(tmp_path, LAB_LOGIN="on"), store)
    check_accounts(settings(tmp_path), store)
    check_accounts(settings(tmp_path, SPACE_ID="who/lab"), store)
    add_account(store, NAME, PASSWORD)
    check_accounts(reachable, store)
    set_disabled(store, NAME, True)
    with pytest.raises(LabError, match="no account that could log in"):
        check_accounts(reachable, store)
    store.close()


def test_a_word_that_means_nothing_is_refused(tmp_path):
    with pytest.raises(SpecError, match="LAB_LOGIN: should be one of auto, on, off"):
        settings(tmp_path, LAB_LOGIN="maybe")


def test_no_login_is_for_this_machine_alone(tmp_path):
    check_login(settings(tmp_path, LAB_LOGIN="off"))
    check_login(settings(tmp_path, LAB_LOGIN="off", SPACE_ID="who/lab"))
    with pytest.raises(LabError, match="LAB_LOGIN=off opens the lab on this machine's own address only.*0.0.0.0"):
        check_login(settings(tmp_path, LAB_LOGIN="off", LAB_HOST="0.0.0.0"))
    with pytest.raises(LabError, match="SPACE_ID"):
        check_login(settings(tmp_path, LAB_LOGIN="on", SPACE_ID="who/lab"))


@pytest.mark.parametrize(("env", "words"), [
    ({"LAB_HOST": "0.0.0.0"}, "python -m jobs users add NAME"),
    ({"LAB_HOST": "0.0.0.0", "LAB_LOGIN": "off"}, "LAB_LOGIN=off"),
])
def test_the_lab_does_not_start_and_says_why_in_one_sentence(tmp_path, env, words):
    done = subprocess.run([sys.executable, "app.py"], cwd=ROOT, env=environment(tmp_path, free_port()) | env,
                          timeout=90, capture_output=True, text=True)
    assert done.returncode == 1 and words in done.stderr and "Traceback" not in done.stderr
    assert "Trace Lab: http" not in done.stdout
