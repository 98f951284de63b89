"""Rounds that freeze their texts and their design, raters' whole sessions, accounts of researchers."""

import hashlib
import json
import secrets

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
OLD = ("round", "unit", "rater", "assignment", "rating")
JSON_COLUMNS = {"anchors", "excluded", "warnings"}
TIME_COLUMNS = {"created_at", "closed_at", "started_at", "last_seen_at", "served_at", "lease_until", "done_at"}


def upgrade() -> None:
    op.add_column("answer", sa.Column("think_text", sa.String(), nullable=False, server_default=""))
    kept = {name: _rows(name) for name in OLD}
    texts = _texts(kept["unit"])
    for name in reversed(OLD):
        op.drop_table(name)
    _round()
    _unit()
    _rater()
    _assignment()
    _rating()
    _beside()
    _accounts()
    _fill(kept, texts)


def _rows(name: str) -> list[dict]:
    """Every row of an old table, with times and JSON as Python values."""
    columns = [column["name"] for column in sa.inspect(op.get_bind()).get_columns(name)]
    table = sa.table(name, *(sa.column(column, _type(column)) for column in columns))
    return [dict(row) for row in op.get_bind().execute(sa.select(table).order_by(table.c.id)).mappings()]


def _type(column: str) -> sa.types.TypeEngine:
    if column in JSON_COLUMNS:
        return sa.JSON()
    return TIME if column in TIME_COLUMNS else sa.types.NullType()


def _texts(units: list[dict]) -> dict[int, tuple[str, str]]:
    """Answer → (question, shown text), of the answers that are rated."""
    wanted = {unit[side] for unit in units for side in ("answer_a_id", "answer_b_id")}
    answers = op.get_bind().execute(sa.text("SELECT id, question, shown_text FROM answer"))
    return {row.id: (row.question, row.shown_text) for row in answers if row.id in wanted}


def _fill(kept: dict[str, list[dict]], texts: dict[int, tuple[str, str]]) -> None:
    rounds = {row["id"]: row for row in kept["round"]}
    _insert("round", [_new_round(row) for row in kept["round"]])
    _insert("unit", [_new_unit(row, rounds[row["round_id"]], texts) for row in kept["unit"]])
    _insert("rater", [_new_rater(row) for row in kept["rater"]])
    left_of = {row["id"]: row["answer_a_id"] for row in kept["unit"]}
    _insert("assignment", [_new_assignment(row, left_of) for row in kept["assignment"]])
    _insert("rating", [{**row, "criteria": {}, "n_changes": 0} for row in kept["rating"]])


def _insert(name: str, rows: list[dict]) -> None:
    if not rows:
        return
    types = {"design": sa.JSON(), "models": sa.JSON(), "risk": sa.JSON(), "expected": sa.JSON(), "about": sa.JSON(),
             "closing": sa.JSON(), "criteria": sa.JSON()}
    op.bulk_insert(sa.table(name, *(sa.column(column, types.get(column, _type(column))) for column in rows[0])), rows)
    if op.get_bind().dialect.name == "postgresql":  # the numbers were given, so the sequence has to be told
        op.execute(f"SELECT setval(pg_get_serial_sequence('\"{name}\"', 'id'), (SELECT max(id) FROM \"{name}\"))")


def _new_round(row: dict) -> dict:
    """Rounds of that time asked for two scores and a preference, and for nothing else."""
    models = [row["model_a"], row["model_b"]]
    design = {
        "name": row["name"], "bank": row["bank_id"], "models": models, "task": "both", "quota": row["quota"],
        "definition": row["definition"], "anchors": row["anchors"], "seed": row["seed"], "consent": "", "about": False,
        "practice": False, "gold_every": 0, "repeat_share": 0.0, "guesses": 0,
    }
    same = ("id", "name", "bank_id", "state", "n_excluded", "excluded", "warnings", "created_at", "closed_at")
    return {**{name: row[name] for name in same}, "uid": secrets.token_hex(6), "design": design, "models": models,
            "design_sha": _sha(json.dumps(design, sort_keys=True)), "origin": "", "risk": {}, "unblinded_by": ""}


def _new_unit(row: dict, the_round: dict, texts: dict[int, tuple[str, str]]) -> dict:
    (question, text_a), (_, text_b) = texts[row["answer_a_id"]], texts[row["answer_b_id"]]
    return {**row, "uid": secrets.token_hex(6), "role": "main", "model_a": the_round["model_a"],
            "model_b": the_round["model_b"], "question": question, "text_a": text_a, "text_b": text_b,
            "sha256": _sha(json.dumps([question, text_a, text_b], ensure_ascii=False)), "expected": {},
            "explanation": "", "shared": False}


def _new_rater(row: dict) -> dict:
    state = "active" if row["started_at"] else "invited"
    kept = {name: value for name, value in row.items() if name != "guest"}
    return {**kept, "uid": secrets.token_hex(6), "kind": "guest" if row["guest"] else "invited", "state": state,
            "language": "", "consent_sha": "", "about": {}, "closing": {}, "practice_tries": 0}


def _new_assignment(row: dict, left_of: dict[int, int]) -> dict:
    kept = {name: value for name, value in row.items() if name not in ("left_answer_id", "right_answer_id")}
    return {**kept, "role": "main", "attempt": 1, "a_left": row["left_answer_id"] == left_of[row["unit_id"]],
            "surplus": False, "flag": "", "served_count": 1}


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _round() -> None:
    op.create_table(
        "round",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("bank_id", sa.Integer(), sa.ForeignKey("answerbank.id"), nullable=True),
        sa.Column("design", sa.JSON(), nullable=False),
        sa.Column("design_sha", sa.String(), nullable=False),
        sa.Column("models", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("n_excluded", sa.Integer(), nullable=False),
        sa.Column("excluded", sa.JSON(), nullable=False),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.Column("risk", sa.JSON(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("closed_at", TIME, nullable=True),
        sa.Column("unblinded_at", TIME, nullable=True),
        sa.Column("unblinded_by", sa.String(), nullable=False),
        sa.UniqueConstraint("uid"),
    )


def _unit() -> None:
    op.create_table(
        "unit",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("round_id", sa.Integer(), sa.ForeignKey("round.id"), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("role", "item_id", "model_a", "model_b")),
        sa.Column("answer_a_id", sa.Integer(), sa.ForeignKey("answer.id"), nullable=True),
        sa.Column("answer_b_id", sa.Integer(), sa.ForeignKey("answer.id"), nullable=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("question", "text_a", "text_b", "sha256")),
        sa.Column("expected", sa.JSON(), nullable=False),
        sa.Column("explanation", sa.String(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("uid"),
        sa.UniqueConstraint("round_id", "role", "item_id", "model_a", "model_b"),
    )
    op.create_index("ix_unit_round_id", "unit", ["round_id"])


def _rater() -> None:
    op.create_table(
        "rater",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("round_id", sa.Integer(), sa.ForeignKey("round.id"), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("code", "token_hash", "kind", "state", "language")),
        sa.Column("consent_at", TIME, nullable=True),
        sa.Column("consent_sha", sa.String(), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("practice_tries", sa.Integer(), nullable=False),
        sa.Column("practised_at", TIME, nullable=True),
        sa.Column("rested_at", TIME, nullable=True),
        sa.Column("closing", sa.JSON(), nullable=False),
        *(sa.Column(name, TIME, nullable=True) for name in ("finished_at", "revoked_at", "last_seen_at")),
        sa.Column("created_at", TIME, nullable=False),
        *(sa.UniqueConstraint(name) for name in ("uid", "token_hash")),
        sa.UniqueConstraint("round_id", "code"),
    )
    op.create_index("ix_rater_round_id", "rater", ["round_id"])


def _assignment() -> None:
    op.create_table(
        "assignment",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("rater_id", sa.Integer(), sa.ForeignKey("rater.id"), nullable=False),
        sa.Column("unit_id", sa.Integer(), sa.ForeignKey("unit.id"), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("a_left", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("surplus", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("skip_reason", "flag", "submit_key")),
        sa.Column("served_count", sa.Integer(), nullable=False),
        sa.Column("served_at", TIME, nullable=False),
        *(sa.Column(name, TIME, nullable=True) for name in ("lease_until", "done_at")),
        sa.UniqueConstraint("submit_key"),
        sa.UniqueConstraint("rater_id", "unit_id", "role", "attempt"),
    )
    for columns in (["rater_id"], ["unit_id"], ["state", "lease_until"]):
        op.create_index(f"ix_assignment_{'_'.join(columns)}", "assignment", columns)


def _rating() -> None:
    op.create_table(
        "rating",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("assignment_id", sa.Integer(), sa.ForeignKey("assignment.id"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("submit_key", sa.String(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ("fluency_left", "fluency_right")),
        sa.Column("preference", sa.String(), nullable=False),
        sa.Column("criteria", sa.JSON(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ("visible_ms", "total_ms")),
        sa.Column("n_changes", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("submit_key"),
        sa.UniqueConstraint("assignment_id", "version"),
    )
    op.create_index("ix_rating_assignment_id", "rating", ["assignment_id"])


def _beside() -> None:
    """Events, guesses, the judge's votes and automatic measures."""
    op.create_table(
        "ratingevent",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("round_id", sa.Integer(), sa.ForeignKey("round.id"), nullable=False),
        sa.Column("rater_id", sa.Integer(), sa.ForeignKey("rater.id"), nullable=True),
        sa.Column("assignment_id", sa.Integer(), sa.ForeignKey("assignment.id"), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("client_ms", sa.Integer(), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("server_at", TIME, nullable=False),
    )
    op.create_table(
        "blindguess",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("rater_id", sa.Integer(), sa.ForeignKey("rater.id"), nullable=False),
        sa.Column("assignment_id", sa.Integer(), sa.ForeignKey("assignment.id"), nullable=False),
        sa.Column("guess", sa.String(), nullable=False),
        sa.Column("sureness", sa.Integer(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("rater_id", "assignment_id"),
    )
    op.create_table(
        "judgevote",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("round_id", sa.Integer(), sa.ForeignKey("round.id"), nullable=False),
        sa.Column("unit_id", sa.Integer(), sa.ForeignKey("unit.id"), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("judge", "judge_version")),
        sa.Column("job_id", sa.Integer(), sa.ForeignKey("job.id"), nullable=True),
        sa.Column("a_first", sa.Boolean(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=True),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ("fluency_a", "fluency_b")),
        sa.Column("reply", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("unit_id", "judge", "judge_version", "a_first"),
    )
    op.create_table(
        "textmeasure",
        sa.Column("id", sa.Integer(), primary_key=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("text_sha", "name", "version")),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("job_id", sa.Integer(), sa.ForeignKey("job.id"), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("text_sha", "name", "version"),
    )
    indexes = {"ratingevent": ("round_id", "rater_id"), "blindguess": ("rater_id",),
               "judgevote": ("round_id", "unit_id"), "textmeasure": ("text_sha",)}
    for table, columns in indexes.items():
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column])


def _accounts() -> None:
    """Researchers who may log in."""
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_login_at", TIME, nullable=True),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "loginsession",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("last_seen_at", TIME, nullable=False),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("ix_loginsession_account_id", "loginsession", ["account_id"])


def downgrade() -> None:
    """An older program cannot hold what these rounds hold: the backup that the upgrade left is the way back."""
    raise NotImplementedError("restore the copy that was made before the upgrade (LAB_HOME/backups)")
