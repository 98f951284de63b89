"""Maps of a dataset: the newest first, other datasets' apart, and none where a job has left none."""

from __future__ import annotations

from storage.database import Store
from storage.queries.maps import map_jobs, read_map
from storage.tables import Job


def test_the_jobs_that_map_a_dataset_are_found_newest_first(store: Store) -> None:
    made = [("map", "demo-medical"), ("map", "demo-general"), ("sft", "demo-medical"), ("map", "demo-medical")]
    with store.write() as session:
        for place, (kind, dataset) in enumerate(made):
            uid = str(place) * 12
            session.add(Job(uid=uid, kind=kind, name=kind, spec={"dataset": dataset}, folder=f"jobs/{uid}"))
    with store.read() as session:
        found = map_jobs(session, "demo-medical")
        assert [job.uid[0] for job in found] == ["3", "0"] and map_jobs(session, "other") == []
        folder = store.home.job(found[0].uid)
        folder.prepare()
        (folder.artifacts / "map.json").write_text('{"n_rows": 3}')
        assert [read_map(store.home, job) for job in found] == [{"n_rows": 3}, None]
