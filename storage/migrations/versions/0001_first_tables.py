"""Every table of the first release. A migration is history: it imports no table and is never edited."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    for create in (
        _study, _worker, _job, _answerbank, _jobdependency, _jobevent, _metric, _variant, _answer,
        _benchmarkrun, _round, _benchmarksample, _rater, _unit, _assignment, _rating,
    ):
        create()


def _study() -> None:
    op.create_table(
        "study",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
    )


def _worker() -> None:
    op.create_table(
        "worker",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("heartbeat_at", TIME, nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
    )


def _job() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("uid", sa.String(12), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("desired", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), sa.ForeignKey("study.id"), nullable=True),
        sa.Column("parent_id", sa.Integer(), sa.ForeignKey("job.id"), nullable=True),
        sa.Column("spec_given", sa.JSON(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("spec_sha", sa.String(), nullable=False),
        sa.Column("provenance", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("progress_done", sa.Float(), nullable=False),
        sa.Column("progress_total", sa.Float(), nullable=False),
        sa.Column("progress_text", sa.String(), nullable=False),
        sa.Column("eta_s", sa.Float(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("message", sa.String(), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("worker", sa.String(), nullable=True),
        sa.Column("pid", sa.Integer(), nullable=True),
        sa.Column("start_ticks", sa.Integer(), nullable=True),
        sa.Column("boot_id", sa.String(), nullable=True),
        sa.Column("events_offset", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("finished_at", TIME, nullable=True),
        sa.UniqueConstraint("uid"),
    )
    op.create_index("ix_job_kind", "job", ["kind"])
    op.create_index("ix_job_state_priority", "job", ["state", "priority", "id"])
    op.create_index("ix_job_study_id", "job", ["study_id"])


def _answerbank() -> None:
    op.create_table(
        "answerbank",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("job_id", sa.Integer(), sa.ForeignKey("job.id"), nullable=False),
        sa.Column("study_id", sa.Integer(), sa.ForeignKey("study.id"), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("benchmark", sa.String(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("job_id"),
    )
    op.create_index("ix_answerbank_study_id", "answerbank", ["study_id"])


def _jobdependency() -> None:
    op.create_table(
        "jobdependency",
        sa.Column("job_id", sa.Integer(), sa.ForeignKey("job.id"), primary_key=True),
        sa.Column("needs_id", sa.Integer(), sa.ForeignKey("job.id"), primary_key=True),
    )


def _jobevent() -> None:
    op.create_table(
        "jobevent",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("job_id", sa.Integer(), sa.ForeignKey("job.id"), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
    )
    op.create_index("ix_jobevent_job_id", "jobevent", ["job_id"])


def _metric() -> None:
    op.create_table(
        "metric",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("job_id", sa.Integer(), sa.ForeignKey("job.id"), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("at", TIME, nullable=False),
    )
    op.create_index("ix_metric_job_name_step", "metric", ["job_id", "name", "step"])


def _variant() -> None:
    op.create_table(
        "variant",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("job_id", sa.Integer(), sa.ForeignKey("job.id"), nullable=False),
        sa.Column("study_id", sa.Integer(), sa.ForeignKey("study.id"), nullable=True),
        sa.Column("base", sa.String(), nullable=False),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("weights", sa.String(), nullable=False),
        sa.Column("n_rows", sa.Integer(), nullable=False),
        sa.Column("n_dropped", sa.Integer(), nullable=False),
        sa.Column("n_tokens", sa.Integer(), nullable=False),
        sa.Column("final_loss", sa.Float(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("job_id"),
        sa.UniqueConstraint("name"),
    )
    op.create_index("ix_variant_base", "variant", ["base"])
    op.create_index("ix_variant_study_id", "variant", ["study_id"])


def _answer() -> None:
    op.create_table(
        "answer",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("bank_id", sa.Integer(), sa.ForeignKey("answerbank.id"), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("gold", sa.String(), nullable=False),
        sa.Column("model_label", sa.String(), nullable=False),
        sa.Column("arm", sa.String(), nullable=False),
        sa.Column("base", sa.String(), nullable=False),
        sa.Column("variant_id", sa.Integer(), sa.ForeignKey("variant.id"), nullable=True),
        sa.Column("raw_text", sa.String(), nullable=False),
        sa.Column("shown_text", sa.String(), nullable=False),
        sa.Column("think_state", sa.String(), nullable=False),
        sa.Column("finish_reason", sa.String(), nullable=False),
        sa.Column("n_tokens", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.UniqueConstraint("bank_id", "item_id", "model_label"),
    )
    op.create_index("ix_answer_bank_id", "answer", ["bank_id"])


def _benchmarkrun() -> None:
    op.create_table(
        "benchmarkrun",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("job_id", sa.Integer(), sa.ForeignKey("job.id"), nullable=False),
        sa.Column("study_id", sa.Integer(), sa.ForeignKey("study.id"), nullable=True),
        sa.Column("benchmark", sa.String(), nullable=False),
        sa.Column("benchmark_version", sa.String(), nullable=False),
        sa.Column("run_key", sa.String(), nullable=False),
        sa.Column("model_label", sa.String(), nullable=False),
        sa.Column("base", sa.String(), nullable=False),
        sa.Column("variant_id", sa.Integer(), sa.ForeignKey("variant.id"), nullable=True),
        sa.Column("arm", sa.String(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("n_correct", sa.Integer(), nullable=False),
        sa.Column("accuracy", sa.Float(), nullable=False),
        sa.Column("ci_low", sa.Float(), nullable=False),
        sa.Column("ci_high", sa.Float(), nullable=False),
        sa.Column("n_unparsed", sa.Integer(), nullable=False),
        sa.Column("n_truncated", sa.Integer(), nullable=False),
        sa.Column("mean_tokens", sa.Float(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("job_id"),
    )
    op.create_index("ix_benchmarkrun_base", "benchmarkrun", ["base"])
    op.create_index("ix_benchmarkrun_benchmark", "benchmarkrun", ["benchmark"])
    op.create_index("ix_benchmarkrun_study_id", "benchmarkrun", ["study_id"])
    op.create_index("ix_benchmarkrun_variant_id", "benchmarkrun", ["variant_id"])


def _round() -> None:
    op.create_table(
        "round",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("bank_id", sa.Integer(), sa.ForeignKey("answerbank.id"), nullable=False),
        sa.Column("model_a", sa.String(), nullable=False),
        sa.Column("model_b", sa.String(), nullable=False),
        sa.Column("definition", sa.String(), nullable=False),
        sa.Column("anchors", sa.JSON(), nullable=False),
        sa.Column("quota", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("n_excluded", sa.Integer(), nullable=False),
        sa.Column("excluded", sa.JSON(), nullable=False),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("closed_at", TIME, nullable=True),
    )


def _benchmarksample() -> None:
    op.create_table(
        "benchmarksample",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("run_id", sa.Integer(), sa.ForeignKey("benchmarkrun.id"), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("gold", sa.String(), nullable=False),
        sa.Column("raw_text", sa.String(), nullable=False),
        sa.Column("think_text", sa.String(), nullable=False),
        sa.Column("final_text", sa.String(), nullable=False),
        sa.Column("think_state", sa.String(), nullable=False),
        sa.Column("finish_reason", sa.String(), nullable=False),
        sa.Column("n_prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("n_think_tokens", sa.Integer(), nullable=False),
        sa.Column("n_answer_tokens", sa.Integer(), nullable=False),
        sa.Column("parsed", sa.String(), nullable=True),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("correct", sa.Boolean(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.UniqueConstraint("run_id", "item_id", "epoch"),
    )
    op.create_index("ix_benchmarksample_run_id", "benchmarksample", ["run_id"])


def _rater() -> None:
    op.create_table(
        "rater",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("round_id", sa.Integer(), sa.ForeignKey("round.id"), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("guest", sa.Boolean(), nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("last_seen_at", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("token_hash"),
        sa.UniqueConstraint("round_id", "code"),
    )
    op.create_index("ix_rater_round_id", "rater", ["round_id"])


def _unit() -> None:
    op.create_table(
        "unit",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("round_id", sa.Integer(), sa.ForeignKey("round.id"), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("answer_a_id", sa.Integer(), sa.ForeignKey("answer.id"), nullable=False),
        sa.Column("answer_b_id", sa.Integer(), sa.ForeignKey("answer.id"), nullable=False),
        sa.UniqueConstraint("round_id", "item_id"),
    )
    op.create_index("ix_unit_round_id", "unit", ["round_id"])


def _assignment() -> None:
    op.create_table(
        "assignment",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("rater_id", sa.Integer(), sa.ForeignKey("rater.id"), nullable=False),
        sa.Column("unit_id", sa.Integer(), sa.ForeignKey("unit.id"), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("left_answer_id", sa.Integer(), sa.ForeignKey("answer.id"), nullable=False),
        sa.Column("right_answer_id", sa.Integer(), sa.ForeignKey("answer.id"), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("skip_reason", sa.String(), nullable=False),
        sa.Column("submit_key", sa.String(), nullable=False),
        sa.Column("served_at", TIME, nullable=False),
        sa.Column("lease_until", TIME, nullable=True),
        sa.Column("done_at", TIME, nullable=True),
        sa.UniqueConstraint("submit_key"),
        sa.UniqueConstraint("rater_id", "unit_id"),
    )
    op.create_index("ix_assignment_rater_id", "assignment", ["rater_id"])
    op.create_index("ix_assignment_unit_id", "assignment", ["unit_id"])


def _rating() -> None:
    op.create_table(
        "rating",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("assignment_id", sa.Integer(), sa.ForeignKey("assignment.id"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("submit_key", sa.String(), nullable=False),
        sa.Column("fluency_left", sa.Integer(), nullable=False),
        sa.Column("fluency_right", sa.Integer(), nullable=False),
        sa.Column("preference", sa.String(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("visible_ms", sa.Integer(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("assignment_id", "version"),
        sa.UniqueConstraint("submit_key"),
    )
    op.create_index("ix_rating_assignment_id", "rating", ["assignment_id"])
