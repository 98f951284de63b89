"""Curves of a job: drawn from the store, drawn again only when that shows something new."""

import pytest

from lab.ui.jobs import curves
from lab.ui.jobs.curves import Drawn, draw
from storage.queries.jobs import get_job
from storage.tables import Job, Metric
from tests.stores import new_store


@pytest.fixture
def made(tmp_path):
    """A running job with a long curve that has one spike, and a metric nobody looks at."""
    store = new_store(tmp_path)
    with store.write() as session:
        session.add(Job(id=1, uid="a" * 12, kind="sft", name="x", state="running", events_offset=10))
        session.flush()
        session.add_all(Metric(job_id=1, step=step, name="loss", value=9.5 if step == 777 else 1.0)
                        for step in range(1, 2001))
        session.add_all(Metric(job_id=1, step=step, name="internal", value=1.0) for step in (1, 2))
    yield store
    store.close()


def test_a_long_curve_is_thinned_and_keeps_its_spike(made):
    with made.read() as session:
        html = draw(session, get_job(session, 1), "trace", [120])
    first, _, more = html.partition("More curves (1)")
    assert first.count("<polyline") == 1 and first.count(",") < 2 * curves.MOST_POINTS
    assert "<figcaption>Internal" in more
    assert '"0 to 10"' not in html and ">10<" in html  # the axis reaches the spike
    assert "arm-trace" in html and 'class="mark"' in html and "went on from step <b>120</b>" in html


def test_curves_are_drawn_again_when_points_came_and_not_before(made, monkeypatch):
    monkeypatch.setattr(curves, "PATIENCE", 0)
    drawn = Drawn()
    with made.read() as session:
        job = get_job(session, 1)
        first = drawn.get(session, job, "base", [])
    with made.write() as session:
        session.add(Metric(job_id=1, step=2001, name="loss", value=0.123))
    with made.read() as session:
        job = get_job(session, 1)
        assert drawn.get(session, job, "base", []) == first  # nobody has said that there is more
        session.expunge(job)
        job.events_offset += 1
        assert "0.123" in drawn.get(session, job, "base", [])


def test_a_costly_drawing_waits_a_little_and_an_ended_job_is_drawn_whole(made, monkeypatch):
    monkeypatch.setattr(curves, "PATIENCE", 10**6)
    drawn = Drawn()
    with made.read() as session:
        job = get_job(session, 1)
        first = drawn.get(session, job, "base", [])
    with made.write() as session:
        session.add(Metric(job_id=1, step=2001, name="loss", value=0.123))
    with made.read() as session:
        job = get_job(session, 1)
        session.expunge(job)
        job.events_offset += 1
        assert drawn.get(session, job, "base", []) == first
        job.state = "succeeded"
        assert "0.123" in drawn.get(session, job, "base", [])


def test_a_job_without_curves_says_whether_any_may_come(made):
    with made.write() as session:
        session.add(Job(id=2, uid="b" * 12, kind="benchmark", name="y", state="succeeded"))
    with made.read() as session:
        assert "reported no curves" in draw(session, get_job(session, 2), "base", [])


def test_reinforcement_learning_shows_its_figures_in_order_and_a_check_beside_what_was_sampled(made):
    with made.write() as session:
        session.add(Job(id=3, uid="c" * 12, kind="ppo", name="z", state="succeeded"))
        session.flush()
        for name in ("clip_fraction", "entropy", "eval_reward", "kl", "mean_tokens", "reward", "well_formed"):
            session.add_all(Metric(job_id=3, step=step, name=name, value=step / 9) for step in (1, 2, 3))
    with made.read() as session:
        html = draw(session, get_job(session, 3), "trace", [])
    titles = ["Reward of a completion", "KL to the starting model", "Well-formed", "Tokens of a completion", "Entropy",
              "Clipped tokens"]
    places = [html.index(title) for title in titles]
    assert places == sorted(places) and "More curves" not in html and "curves many" in html
    reward = html[:html.index("KL to the starting")]
    assert reward.count("<polyline") == 2 and "sampled" in reward and "held out" in reward
