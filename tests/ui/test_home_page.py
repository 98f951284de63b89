"""The home page: what runs, the newest result, what ended."""

from lab.ui.home.newest import newest_key, newest_result
from lab.ui.home.now import lately, running_now
from lab.ui.pages.home import start_here
from storage.queries.queue import set_paused
from storage.tables import Job, now
from tests.stores import new_store


def test_a_running_study_shows_its_progress_and_the_time_left(store):
    with store.read() as session:
        html = running_now(session)
    assert "Grid of 12" in html and "jobs done" in html and "1 failed" in html and " left" in html


def test_the_newest_result_is_a_sentence_with_its_interval_and_a_level_per_arm(store):
    with store.read() as session:
        html, key = newest_result(session), newest_key(session)
    assert key and "95 % interval" in html and "n = 250" in html
    assert all(f"arm-{arm}" in html for arm in ("base", "answer", "trace"))


def test_what_ended_lately_is_listed_with_its_outcome(store):
    with store.read() as session:
        html = lately(session)
    assert "succeeded" in html and "failed" in html and "<script" not in html


def test_an_empty_store_says_what_would_be_here_and_what_to_do(tmp_path):
    with new_store(tmp_path).read() as session:
        assert "/train" in running_now(session)
        assert "No result yet" in newest_result(session) and newest_key(session) == ""
        assert "Nothing has ended yet" in lately(session)


def test_the_page_says_once_what_the_embedded_bases_are():
    assert start_here().count("for clinical use") == 1


def test_a_paused_queue_and_a_lost_job_are_said_plainly(tmp_path):
    made = new_store(tmp_path)
    with made.write() as session:
        session.add(Job(uid="a" * 12, kind="sft", name="mine <b>", started_at=now(), checkpoint_step=120))
        set_paused(session, True)
    with made.read() as session:
        html = running_now(session)
    assert "The queue is paused" in html and "1 job waits" in html
    assert "its process went away; it waits in the line and goes on from step 120" in html and "mine &lt;b&gt;" in html
    made.close()


def test_the_home_page_tells_when_the_last_waiting_job_starts_only_where_it_is_known(store):
    with store.read() as session:
        assert "8 waiting, the last starts in about" in running_now(session)
