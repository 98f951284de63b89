"""Migrations: they make exactly the tables, run once, keep the rows, and on SQLite leave a backup."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, delete, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, select

import storage.tables  # noqa: F401  registers the tables
from lab.core.errors import LabError
from lab.rating.design import stored
from storage.database import Store, open_store
from storage.files import Home
from storage.migrate import MIGRATIONS, current_version, upgrade
from storage.queries.round_results import rating_rows
from storage.tables import (
    Answer,
    AnswerBank,
    Assignment,
    BenchmarkRun,
    BenchmarkSample,
    Job,
    Rater,
    Rating,
    Round,
    RowReview,
    Unit,
)
from tests.postgres import Postgres

NEXT = '''
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade() -> None:
    op.add_column("job", sa.Column("note", sa.String(), nullable=False, server_default="none"))
    {more}
'''
OLD_JOB = """
INSERT INTO job (uid, kind, name, state, desired, priority, slots, attempt, spec_given, spec, spec_sha, provenance,
                 facts, folder, progress_done, progress_total, progress_text, events_offset, created_at)
VALUES ('old', 'echo', 'kept', 'succeeded', 'run', 0, 1, 1, '{}', :spec, '', '{}', '{}', '', 0, 0, '', 0,
        '2026-11-20 10:00:00')
"""
OLD_BANK = (
    "INSERT INTO job (uid, kind, name, state, desired, priority, rank, devices, memory_mib, lane, run_on, attempt, "
    "losses, checkpoint_step, device_seconds, spec_given, spec, spec_sha, provenance, facts, folder, progress_done, "
    "progress_total, progress_text, events_offset, cluster, created_at) VALUES ('old', 'answers', 'x', 'succeeded', "
    "'run', 0, 1, 1, 0, 'work', '', 1, 0, 0, 0, '{}', '{}', '', '{}', '{}', '', 0, 0, '', 0, '{}', '2026-11-20')",
    "INSERT INTO answerbank (id, job_id, name, benchmark, settings, created_at) VALUES (7, 1, 'kept', 'b', '{}', "
    "'2026-11-20 10:00:00')",
    "INSERT INTO answer (bank_id, item_id, subject, question, gold, model_label, arm, base, raw_text, shown_text, "
    "think_state, finish_reason, n_tokens, sha256) VALUES (7, 'q', '', '', '', 'm', 'base', 'm', '', '', 'none', "
    "'eos', 1, '')",
)
OLD_ROUND = (
    "INSERT INTO answer (id, bank_id, item_id, subject, question, gold, model_label, arm, base, raw_text, shown_text, "
    "think_state, finish_reason, n_tokens, sha256) VALUES (11, 7, 'q1', '', 'Why?', '', 'one', 'answer', 'm', '', "
    "'Because.', 'none', 'eos', 1, ''), (12, 7, 'q1', '', 'Why?', '', 'two', 'trace', 'm', '', 'Since.', 'none', "
    "'eos', 1, '')",
    "INSERT INTO round (id, name, bank_id, model_a, model_b, definition, anchors, quota, seed, state, n_excluded, "
    "excluded, warnings, created_at) VALUES (3, 'kept', 7, 'one', 'two', 'Smooth.', '[\"a\", \"b\", \"c\", \"d\", "
    "\"e\"]', 2, 5, 'open', 1, '{\"pairs\": {\"empty\": 1}}', '[\"mind\"]', '2026-11-20 10:00:00')",
    "INSERT INTO unit (id, round_id, item_id, answer_a_id, answer_b_id) VALUES (4, 3, 'q1', 11, 12)",
    "INSERT INTO rater (id, round_id, code, token_hash, guest, started_at, created_at) VALUES (5, 3, 'R1', "
    "'x', :guest, '2026-11-20 10:00:00', '2026-11-20 10:00:00')",
    "INSERT INTO assignment (id, rater_id, unit_id, ordinal, left_answer_id, right_answer_id, state, skip_reason, "
    "submit_key, served_at) VALUES (6, 5, 4, 1, 12, 11, 'done', '', 'k2', '2026-11-20 10:00:00')",
    "INSERT INTO rating (id, assignment_id, version, submit_key, fluency_left, fluency_right, preference, comment, "
    "visible_ms, created_at) VALUES (8, 6, 1, 'k1', 4, 2, 'left', 'fine', 900, '2026-11-20 10:00:00')",
)
OPEN = "from storage.database import open_store; open_store({url!r}, {home!r}).close(); print('opened')"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with nothing in it: what `store` gives is migrated already."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'lab.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()


def _with_next(tmp_path: Path, head: str | None, more: str = "pass") -> Path:
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder)
    (folder / "versions" / "9999_next.py").write_text(NEXT.format(head=head, more=more))
    return folder


def _columns(store: Store, table: str) -> set[str]:
    return {column["name"] for column in inspect(store.read_engine).get_columns(table)}


def _only_the_first(tmp_path: Path, last: str = "0001") -> Path:
    folder = tmp_path / "first"
    shutil.copytree(MIGRATIONS, folder)
    for path in (folder / "versions").glob("0*.py"):
        if path.name[:4] > last:
            path.unlink()
    return folder


def _differences(store: Store) -> list[object]:
    """What alembic would have to change to make the stored tables those of the program."""
    with store.write_engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, SQLModel.metadata)


def test_the_migrations_make_exactly_the_tables(store: Store) -> None:
    assert _differences(store) == []


def test_opening_again_changes_nothing_and_makes_no_backup(store: Store) -> None:
    open_store(store.url, store.home.path).close()
    assert not store.home.backups.exists()


def test_a_store_of_the_first_release_is_upgraded_with_its_rows(empty_url: str, tmp_path: Path) -> None:
    first = create_engine(empty_url)
    upgrade(first, Home(tmp_path), _only_the_first(tmp_path))
    with first.begin() as connection:
        connection.execute(text(OLD_JOB), {"spec": '{"a": 1}'})
    first.dispose()
    store = open_store(empty_url, tmp_path)
    with store.read() as session:
        job = session.exec(select(Job)).one()
    assert (job.name, job.spec, job.created_at.year) == ("kept", {"a": 1}, 2026)
    assert _differences(store) == []
    store.close()


def test_banks_of_before_comparisons_keep_their_answers_and_new_ones_need_no_job(
    empty_url: str, tmp_path: Path
) -> None:
    """On SQLite the table is made anew under the feet of its answers, with foreign keys on."""
    third = create_engine(empty_url)
    upgrade(third, Home(tmp_path), _only_the_first(tmp_path, "0003"))
    with third.begin() as connection:
        for statement in OLD_BANK:
            connection.execute(text(statement))
    third.dispose()
    store = open_store(empty_url, tmp_path)
    with store.write() as session:
        bank = session.exec(select(AnswerBank)).one()
        assert (bank.id, bank.job_id, bank.name, session.exec(select(Answer.bank_id)).all()) == (7, 1, "kept", [7])
        session.add(AnswerBank(id=8, name="asked", benchmark="comparisons"))
        session.add(AnswerBank(id=9, name="asked", benchmark="comparisons"))
    with pytest.raises(IntegrityError), store.write() as session:
        session.add(AnswerBank(id=10, job_id=1, name="twice", benchmark="b"))
    with pytest.raises(IntegrityError), store.write() as session:
        session.exec(delete(AnswerBank))  # its answers still hang on it
    assert _differences(store) == []
    store.close()


OLD_RUN = (
    OLD_BANK[0],
    "INSERT INTO benchmarkrun (id, job_id, benchmark, benchmark_version, run_key, model_label, base, arm, settings, n, "
    "n_correct, accuracy, ci_low, ci_high, n_unparsed, n_truncated, mean_tokens, seconds, created_at) VALUES "
    "(5, 1, 'b', '1', 'k', 'm', 'm', 'base', '{}', 1, 1, 1, 0.2, 1, 0, 0, 9, 2, '2026-01-01 00:00:00')",
    "INSERT INTO benchmarksample (id, run_id, item_id, epoch, subject, question, gold, raw_text, think_text, "
    "final_text, think_state, finish_reason, n_prompt_tokens, n_think_tokens, n_answer_tokens, rule, correct, seconds) "
    "VALUES (3, 5, 'q', 0, '', 'Q', 'A', 'A', '', 'A', 'none', 'eos', 1, 0, 1, 'r', true, 1)",
)


def test_runs_of_before_parts_keep_their_samples_and_a_job_may_leave_several(empty_url: str, tmp_path: Path) -> None:
    fourth = create_engine(empty_url)
    upgrade(fourth, Home(tmp_path), _only_the_first(tmp_path, "0004"))
    with fourth.begin() as connection:
        for statement in OLD_RUN:
            connection.execute(text(statement))
    fourth.dispose()
    store = open_store(empty_url, tmp_path)
    with store.write() as session:
        run, sample = session.exec(select(BenchmarkRun)).one(), session.exec(select(BenchmarkSample)).one()
        assert (run.id, run.part, run.mode, run.scorer, run.figures) == (5, "", "generate", "strict", {})
        assert (sample.run_id, sample.rotation, sample.overlap, sample.options) == (5, 0, None, None)
        more = run.model_dump(exclude={"id", "part"})
        session.add(BenchmarkRun(id=6, part="cut 64", **more))
    with pytest.raises(IntegrityError), store.write() as session:
        session.add(BenchmarkRun(id=7, part="cut 64", **more))
    with pytest.raises(IntegrityError), store.write() as session:
        session.exec(delete(BenchmarkRun))  # its sample still hangs on it
    assert _differences(store) == []
    store.close()


def test_rounds_of_before_keep_their_ratings_and_freeze_what_was_rated(empty_url: str, tmp_path: Path) -> None:
    fifth = create_engine(empty_url)
    upgrade(fifth, Home(tmp_path), _only_the_first(tmp_path, "0005"))
    with fifth.begin() as connection:
        for statement in (*OLD_BANK, *OLD_ROUND):
            connection.execute(text(statement), {"guest": True} if ":guest" in statement else {})
    fifth.dispose()
    store = open_store(empty_url, tmp_path)
    with store.write() as session:
        the_round, unit = session.exec(select(Round)).one(), session.exec(select(Unit)).one()
        design = stored(the_round.design)
        assert (design.definition, design.anchors, design.quota, design.seed) == ("Smooth.", tuple("abcde"), 2, 5)
        assert (design.consent, design.practice, the_round.models, the_round.warnings) == (
            "", False, ["one", "two"], ["mind"])
        assert (unit.question, unit.text_a, unit.text_b) == ("Why?", "Because.", "Since.") and unit.sha256
        rater, given = session.exec(select(Rater)).one(), session.exec(select(Assignment)).one()
        rating = session.exec(select(Rating)).one()
        assert (rater.kind, rater.state, given.a_left, given.role) == ("guest", "active", False, "main")
        assert (rating.fluency_left, rating.preference, rating.criteria) == (4, "left", {})
        session.add(Rater(uid="u2", round_id=3, code="R2", token_hash="y"))
    with store.read() as session:
        (row,) = rating_rows(session, 3)
        assert (row.fluency_a, row.fluency_b, row.preferred, row.model_a) == (2, 4, "b", "one")
    assert _differences(store) == []
    store.close()


def test_a_store_of_before_row_reviews_keeps_its_rows_and_takes_reviews(empty_url: str, tmp_path: Path) -> None:
    sixth = create_engine(empty_url)
    upgrade(sixth, Home(tmp_path), _only_the_first(tmp_path, "0006"))
    with sixth.begin() as connection:
        for statement in OLD_BANK:
            connection.execute(text(statement.replace("think_state", "think_text, think_state").replace(
                "'none', 'eos'", "'', 'none', 'eos'")))
    sixth.dispose()
    store = open_store(empty_url, tmp_path)
    with store.write() as session:
        assert session.exec(select(Job.name)).all() == ["x"] and session.exec(select(Answer.bank_id)).all() == [7]
        session.add(RowReview(data="f", row_id="q", verdict="edited", changes={"answer": "12"}, by="ana"))
    with store.read() as session:
        review = session.exec(select(RowReview)).one()
        assert (review.changes, review.note, review.at.tzinfo is not None) == ({"answer": "12"}, "", True)
    assert _differences(store) == []
    store.close()


def test_an_older_store_is_upgraded_and_keeps_its_rows(store: Store, tmp_path: Path) -> None:
    with store.write() as session:
        session.add(Job(uid="a" * 12, kind="echo", name="kept"))
    migrations = _with_next(tmp_path, current_version(store.write_engine))
    upgrade(store.write_engine, store.home, migrations)
    assert "note" in _columns(store, "job") and current_version(store.write_engine) == "9999"
    with store.read() as session:
        assert session.exec(select(Job.name)).all() == ["kept"]
    assert upgrade(store.write_engine, store.home, migrations) is None


def test_an_older_file_is_backed_up_first(sqlite_store: Store, tmp_path: Path) -> None:
    """PostgreSQL's own tools make its backups."""
    with sqlite_store.write() as session:
        session.add(Job(uid="a" * 12, kind="echo", name="kept"))
    migrations = _with_next(tmp_path, current_version(sqlite_store.write_engine))
    backup = upgrade(sqlite_store.write_engine, sqlite_store.home, migrations)
    for path, columns in ((backup, 0), (sqlite_store.home.path / "lab.db", 1)):
        with sqlite3.connect(path) as connection:
            assert connection.execute("SELECT name FROM job").fetchall() == [("kept",)]
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            found = connection.execute("SELECT count(*) FROM pragma_table_info('job') WHERE name = 'note'").fetchone()
            assert found == (columns,)


def test_a_migration_that_fails_half_way_leaves_the_store_as_it_was(store: Store, tmp_path: Path) -> None:
    head, columns = current_version(store.write_engine), _columns(store, "job")
    with pytest.raises(ZeroDivisionError):
        upgrade(store.write_engine, store.home, _with_next(tmp_path, head, "1 / 0"))
    assert current_version(store.write_engine) == head and _columns(store, "job") == columns
    open_store(store.url, store.home.path).close()


def test_a_store_from_a_newer_version_is_refused_and_left_alone(store: Store) -> None:
    with store.write_engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '7777'"))
    with pytest.raises(LabError, match="newer version of Trace Lab .*7777.*Update the program"):
        open_store(store.url, store.home.path)
    assert not store.home.backups.exists()


def test_many_processes_may_open_a_new_store_at_once(empty_url: str, tmp_path: Path) -> None:
    """With a home of their own each, as on several machines: no file they share keeps them apart."""
    codes = [OPEN.format(url=empty_url, home=str(tmp_path / f"home{n}")) for n in range(3)]
    processes = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for code in codes]
    assert [process.communicate(timeout=60)[0].strip() for process in processes] == ["opened"] * 3
