"""Rows in the schemas of the public data sets, written for these tests, and files of them. No row is real data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """One data set's file in its repository, two sound rows, rows without a trace or answer, and what a row becomes."""

    file: str
    rows: tuple[Row, ...]
    without: dict[str, Row]  # reason → a row that is left out for it
    becomes: dict[str, Any]  # fields of the first row's example
    drop: str  # a column whose absence breaks the schema


def s1k(**changes: Any) -> Row:
    return {
        "question": "How many primes are below 10?", "solution": "We count 2, 3, 5, 7: $\\boxed{4}$",
        "cot_type": "math", "source_type": "invented/primes", "metadata": "{}",
        "gemini_thinking_trajectory": "Two, three, five, seven.",
        "gemini_attempt": "There are four.", "gemini_grade": "No", "gemini_grade_reason": "no number",
        "deepseek_thinking_trajectory": "2, 3, 5, 7.\nThat is four.", "deepseek_attempt": "They are four.\n\\boxed{4}",
        "deepseek_grade": "Yes", "deepseek_grade_reason": "equal",
    } | changes


def m1(**changes: Any) -> Row:
    return {
        "prompt": "A man of 60 has crushing chest pain.\nWhich test is first?\nA. Ultrasound\nB. ECG\nC. Biopsy",
        "answer_idx": 1, "answer_letter": "B", "answer_string": "ECG", "reasoning": "Pain in the chest: the heart.",
        "distilled_answer_string": "The first test is an ECG.\n\\boxed{B}", "source": "invented",
        "text": "<|im_start|>…",
    } | changes


def distilled(**changes: Any) -> Row:
    return {"question": "Which vitamin is lacking in scurvy?", "reasoning (reasoning_content)": "Gums bleed: C.",
            "response (content)": "Vitamin C is lacking.\nAnswer: vitamin C"} | changes


def medthoughts(**changes: Any) -> Row:
    return {
        "question_id": "q1", "question": "Which organ makes insulin?", "answer_idx": "E", "source": "invented",
        "options": {"A": "Liver", "B": "Spleen", "C": "Kidney", "D": "Lung", "E": "Pancreas"},
        "ds_think": "Islets are in the pancreas.", "ds_answer": "The pancreas.\nAnswer: E",
    } | changes


def reasoning(**changes: Any) -> Row:
    return {"Question": "Which cell carries oxygen?", "Complex_CoT": "Hmm, blood.\nOh, the red ones.",
            "Response": "Red blood cells carry oxygen."} | changes


def problem(**changes: Any) -> Row:
    return {"Open-ended Verifiable Question": "Which bone is the longest?", "Ground-True Answer": "Femur"} | changes


def finemed(**changes: Any) -> Row:
    return {"text": "A page of the web.", "instruction": "How is gout treated?", "complexity": 6, "quality": 8,
            "language": "en", "response": "With rest and colchicine.", "instruction_type": "common"} | changes


def finemed_complex(**changes: Any) -> Row:
    thought = "### Thought\nUrate crystals.\nColchicine helps.\n\n### Summarization\nColchicine, then allopurinol."
    return finemed(complexity=9, response=thought, instruction_type="complex") | changes


S1K = Made(
    "data/train-00000-of-00001.parquet", (s1k(), s1k(question="And below 12?", solution="5")),
    {"no trace": s1k(question="x", deepseek_thinking_trajectory=None),
     "no answer": s1k(question="y", deepseek_attempt="")},
    {"question": "How many primes are below 10?", "trace": "2, 3, 5, 7.\nThat is four.", "gold": "4",
     "answer": "They are four.\n\\boxed{4}", "verifier": "numeric", "subject": "math", "source": "invented/primes"},
    "deepseek_thinking_trajectory")
M1 = Made(
    "data/train-00000-of-00001.parquet", (m1(), m1(prompt="What is heard?\nNo letters.", answer_string="A murmur")),
    {"no trace": m1(reasoning=""), "no answer": m1(distilled_answer_string="  ")},
    {"question": "A man of 60 has crushing chest pain.\nWhich test is first?", "gold": "B", "verifier": "choice",
     "options": {"A": "Ultrasound", "B": "ECG", "C": "Biopsy"}, "trace": "Pain in the chest: the heart."},
    "reasoning")
FINEMED = Made(
    "Medicine (all)/medicine.jsonl", (finemed(), finemed(instruction="How is asthma treated?")),
    {"no question": finemed(instruction=" "), "no answer": finemed(response=None)},
    {"question": "How is gout treated?", "trace": None, "answer": "With rest and colchicine."}, "response")

MADE: dict[str, Made] = {
    "s1k-1.1": S1K,
    "s1k-1.1-correct": Made(
        S1K.file, S1K.rows, {"not graded correct": s1k(question="z", deepseek_grade="No"), **S1K.without},
        S1K.becomes, "deepseek_grade"),
    "s1k-1.1-gemini": Made(
        S1K.file, S1K.rows, {"no trace": s1k(question="x", gemini_thinking_trajectory="")},
        {"trace": "Two, three, five, seven.", "answer": "There are four.", "gold": "4"}, "gemini_attempt"),
    "m23k": M1,
    "m1k": M1,
    "medical-r1-distill": Made(
        "medical_r1_distill_sft.json", (distilled(), distilled(question="And in rickets?")),
        {"no trace": distilled(**{"reasoning (reasoning_content)": ""}),
         "no answer": distilled(**{"response (content)": ""})},
        {"question": "Which vitamin is lacking in scurvy?", "trace": "Gums bleed: C.", "gold": "vitamin C"},
        "response (content)"),
    "medthoughts-8k": Made(
        "MedThoughts-8K.jsonl", (medthoughts(), medthoughts(question_id="q2", question="And glucagon?")),
        {"no trace": medthoughts(ds_think=None), "no answer": medthoughts(ds_answer=""),
         "the gold answer is none of the options": medthoughts(answer_idx="F")},
        {"id": "medthoughts-q1", "gold": "E", "verifier": "choice", "trace": "Islets are in the pancreas."},
        "ds_think"),
    "medical-o1-sft": Made(
        "medical_o1_sft.json", (reasoning(), reasoning(Question="And which clots?")),
        {"no trace": reasoning(Complex_CoT=""), "no answer": reasoning(Response="")},
        {"trace": "Hmm, blood.\nOh, the red ones.", "answer": "Red blood cells carry oxygen."}, "Complex_CoT"),
    "medical-o1-sft-mix": Made(
        "medical_o1_sft_mix.json", (reasoning(), reasoning(Question="And which clots?")),
        {"no trace": reasoning(Complex_CoT="")}, {"trace": "Hmm, blood.\nOh, the red ones."}, "Response"),
    "medical-o1-verifiable": Made(
        "medical_o1_verifiable_problem.json",
        (problem(), problem(**{"Open-ended Verifiable Question": "The shortest?"})),
        {"no answer": problem(**{"Ground-True Answer": ""}), "no question": {"Ground-True Answer": "Femur"}},
        {"question": "Which bone is the longest?", "answer": "Femur", "gold": "Femur", "trace": None},
        "Ground-True Answer"),
    "finemed-sft": FINEMED,
    "finemed-internal-medicine": Made(
        "InternalMedicine/1.jsonl", FINEMED.rows, FINEMED.without, {"subject": "internal medicine"}, "instruction"),
    "finemed-endocrinology": Made(
        "InternalMedicine/Endocrinology.jsonl", FINEMED.rows, FINEMED.without, {"subject": "endocrinology"},
        "complexity"),
    "finemed-cold-start": Made(
        "SFTo1Data/o1.jsonl", (finemed_complex(), finemed_complex(instruction="How is asthma treated?")),
        {"complexity 8 or less": finemed(), "no trace": finemed_complex(response="Colchicine."),
         "unclosed thinking": finemed_complex(response="### Thought\nUrate")},
        {"trace": "Urate crystals.\nColchicine helps.", "answer": "Colchicine, then allopurinol."}, "complexity"),
}


def write(folder: Path, file: str, rows: Sequence[Row]) -> Path:
    """Rows as a file of the kind its ending says."""
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        import pyarrow
        import pyarrow.parquet as parquet

        parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path)
    elif path.suffix == ".json":
        path.write_text(json.dumps(list(rows)), encoding="utf-8")
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
