"""Jobs on a Slurm cluster: what the page says of them, and the Train page's choice and dry run."""

from datetime import UTC, datetime, timedelta

import pytest

from jobs.slurm.profile import SlurmProfile
from jobs.slurm.stored import save_profile
from lab.studies.spec import StudySpec
from lab.ui.jobs import cluster
from lab.ui.train.launching import launch
from lab.ui.train.where import batch_preview, places
from storage.files import Home
from storage.queries.jobs import list_jobs
from storage.tables import Job
from tests.stores import new_store

VALUES = {"name": "mine", "bases": ["demo-llama"], "datasets": ["demo-medical"], "seeds": [0],
          "benchmarks": ["demo-medical"]}


def job(**known) -> Job:
    return Job(id=1, uid="a" * 12, kind="sft", name="x", run_on="slurm:h100", folder="jobs/x", cluster=known)


@pytest.mark.parametrize(("known", "words"), [
    ({}, ""), ({"state": "PENDING", "reason": "Resources"}, "pending in Slurm (Resources)"),
    ({"state": "RUNNING", "reason": "None", "node": "n2"}, "in Slurm on n2"),
    ({"state": "STAGE_OUT"}, "stage out in Slurm"),
])
def test_where_a_job_is_in_slurm_is_told_in_its_words(known, words):
    assert cluster.situation(job(**known)) == words


def test_number_node_and_profile_are_facts_and_a_local_job_has_none():
    told = [("Slurm profile", "h100"), ("Slurm job", "4711"), ("node", "n2")]
    assert cluster.facts(job(id="4711", node="n2")) == told
    assert cluster.facts(Job(uid="b", kind="sft", name="x")) == []


def test_a_controller_that_is_away_is_told_with_since_when():
    since = datetime.now(UTC) - timedelta(minutes=7)
    words = cluster.away(job(unknown_since=since.isoformat()))
    assert f"has not answered since {since:%H:%M} UTC" in words and "7 min ago" in words
    assert "last that is known" in words
    assert cluster.away(job()) is None


def test_the_batch_file_is_shown_as_text_once_it_is_there(tmp_path):
    home = Home(tmp_path)
    assert "once the job has been submitted" in cluster.batch_file(home, job())
    (tmp_path / "jobs" / "x").mkdir(parents=True)
    (tmp_path / "jobs" / "x" / "job.sbatch").write_text("#SBATCH --gres=gpu:8\n<script>")
    html = cluster.batch_file(home, job())
    assert "--gres=gpu:8" in html and "<script>" not in html


def test_what_it_waits_for_is_told_in_a_sentence_while_it_has_not_ended():
    assert cluster.sentence(job(text="It is next: waits for free GPUs.")) == "It is next: waits for free GPUs."
    assert cluster.sentence(job()) == ""


def test_places_are_the_labs_workers_and_each_profile(tmp_path):
    home = Home(tmp_path)
    assert [value for _, value in places(home)] == [""]
    save_profile(home, SlurmProfile(name="h100", shared=str(tmp_path)))
    assert places(home)[1] == ("Slurm: h100", "slurm:h100")


@pytest.mark.usefixtures("two_bases")
def test_the_dry_run_shows_one_file_a_kind_of_job_and_sends_nothing(tmp_path):
    store, spec = new_store(tmp_path), StudySpec.model_validate(VALUES)
    save_profile(store.home, SlurmProfile(name="h100", shared=str(tmp_path), partition="big", gpus_per_node=8))
    html = batch_preview(store, spec, "slurm:h100")
    assert "2 × sft" in html and "#SBATCH --partition=big" in html and "#SBATCH --array=0-1" in html
    assert "nothing has been sent" in html and not (tmp_path / "slurm" / "batches").exists()


@pytest.mark.usefixtures("two_bases")
def test_a_profile_that_cannot_serve_this_lab_is_one_clear_sentence(tmp_path):
    store, spec = new_store(tmp_path), StudySpec.model_validate(VALUES)
    save_profile(store.home, SlurmProfile(name="h100", shared="/elsewhere"))
    assert "does not lie in /elsewhere" in batch_preview(store, spec, "slurm:h100")
    assert "unknown Slurm profile" in batch_preview(store, spec, "slurm:h10")


@pytest.mark.usefixtures("two_bases")
def test_a_study_is_queued_for_the_place_that_was_chosen(tmp_path, lab):
    store = new_store(tmp_path)
    save_profile(store.home, SlurmProfile(name="h100", shared=str(tmp_path)))
    mine = type(lab)(store, lab.settings)
    assert "is queued" in launch(mine, "study", VALUES, "slurm:h100")
    with store.read() as session:
        assert {row.run_on for row in list_jobs(session, limit=50)[0]} == {"slurm:h100"}
    store.close()
