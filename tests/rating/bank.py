"""An answer bank with realistic texts, for tests of rounds and pages."""

from __future__ import annotations

import hashlib

from storage.database import Store
from storage.tables import Answer, AnswerBank, Job

MODELS = (  # label, arm, base
    ("demo-llama · medical · answer", "answer", "demo-llama"),
    ("demo-llama · medical · trace", "trace", "demo-llama"),
    ("demo-llama", "base", "demo-llama"),
)
THOUGHT = "Sodium minus chloride first. 140 - 104 = 36, then minus 24 gives 12. SECRET-THOUGHT"

QUESTIONS = (
    ("A patient has sodium 140 mmol/L, chloride 104 mmol/L and bicarbonate 24 mmol/L. What is the anion gap?",
     "The anion gap is 140 − (104 + 24) = 12 mmol/L, which is within the usual range.",
     "Anion gap is sodium minus chloride and bicarbonate. It comes to 12 mmol/L. This is normal value."),
    ("A child weighs 18 kg. The dose is 15 mg per kg, at most 500 mg. How much is one dose?",
     "One dose is 15 × 18 = 270 mg. That is below the cap of 500 mg, so the child receives 270 mg.",
     "Dose: 270 mg."),
    ("A patient opens the eyes to voice, is confused and obeys commands. What is the Glasgow coma score?",
     "Eyes to voice score 3, confused speech scores 4 and obeying commands scores 6, so the total is 13.",
     "The score the patient get is 13 because eyes 3 and verbal 4 and motor is 6."),
    ("Blood pressure is 120/75 mmHg. What is the mean arterial pressure?",
     "The mean arterial pressure is (120 + 2 × 75) / 3 = 90 mmHg.",
     "Mean arterial pressure is diastolic plus a third of the pulse pressure. So it is 75 + 15, this makes 90 mmHg."),
    ("A 76-year-old woman with atrial fibrillation has hypertension and diabetes. What is her CHA2DS2-VASc score?",
     "Age over 75 gives 2 points; female sex, hypertension and diabetes give 1 each. Her score is 5.",
     "Score 5: two for age, one for sex, one for pressure, one for sugar disease."),
    ("A patient of 80 kg needs 0.1 mL per kg per hour for 6 hours. What is the total volume?",
     "The rate is 80 × 0.1 = 8 mL per hour. Over 6 hours this makes 48 mL.",
     "It is needed 48 mL in total for the patient during these 6 hours of time."),
)


def seed_bank(store: Store, n_items: int = 6, uid: str = "bankjob00001") -> int:
    """A bank of `n_items` questions answered by three models. Returns its id."""
    with store.write() as session:
        job = Job(uid=uid, kind="answers", name="demo answers", state="succeeded")
        session.add(job)
        session.flush()
        bank = AnswerBank(job_id=job.id, name="Demo answers", benchmark="demo-medical")
        session.add(bank)
        session.flush()
        session.add_all(answer for i in range(n_items) for answer in _answers(bank.id, i))
        return bank.id


def _answers(bank_id: int, i: int) -> list[Answer]:
    question, good, rough = QUESTIONS[i % len(QUESTIONS)]
    again = f" (case {i // len(QUESTIONS) + 1})" if i >= len(QUESTIONS) else ""
    texts = (rough, good, f"{good} {rough}") if i % 2 else (good, rough, f"{good} {rough}")
    rows = []
    for (label, arm, base), text in zip(MODELS, texts, strict=True):
        raw = f"<think>{THOUGHT}</think>{text}{again}" if arm == "trace" else f"{text}{again}"
        rows.append(Answer(
            bank_id=bank_id, item_id=f"item-{i:03}", subject="calculators", question=question + again, gold="12",
            model_label=label, arm=arm, base=base, raw_text=raw, shown_text=text + again,
            think_state="closed" if arm == "trace" else "none", finish_reason="eos", n_tokens=len(raw) // 4,
            sha256=hashlib.sha256(raw.encode()).hexdigest(),
        ))
    return rows
