"""The demo's problems are right: every step is recomputed, every gold answer is derived again from the question."""

from __future__ import annotations

import operator
import re

import pytest

from lab.benchmarks.benchmark import benchmarks
from lab.core.types import Example
from lab.data.dataset import datasets
from lab.data.demo.families import FIELDS
from lab.data.demo.logic import DIRECTIONS, SCALES, TURNS
from lab.data.demo.scores import EYES, MOTOR, RISKS, VERBAL
from lab.verify.verifier import verify

EQUATION = re.compile(r"(\d+)([-+*/])(\d+)=(\d+)")
COMPARISON = re.compile(r"(\d+)(<=|>=|<|>)(\d+)")
OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
SIGNS = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}
DEMO = ("demo-general", "demo-medical", "demo-combined")


def rows() -> list[Example]:
    found = {row.id: row for name in DEMO for row in datasets()[name].load()}
    found |= {row.id: row for name in DEMO[:2] for row in benchmarks()[name].load()}
    return list(found.values())


ROWS = rows()


def numbers(text: str) -> list[int]:
    return [int(n) for n in re.findall(r"\d+", text.replace("CHA2DS2", "").replace("4-2-1", ""))]


def after(label: str, text: str) -> int:
    return int(re.search(rf"{label}\D*?(\d+)", text, re.I)[1])  # type: ignore[index]


def again(row: Example) -> str:
    """The gold answer, worked out from the question's words by another route than the generator's."""
    q, n = row.question, numbers(row.question)
    match row.subject:
        case "anion gap":
            return str(after("sodium", q) - (after("chloride", q) + after("bicarbonate", q)))
        case "mean arterial pressure":
            return str(round(n[1] + (n[0] - n[1]) / 3))
        case "osmolality":
            return str(after("sodium", q) * 2 + after("glucose", q) + after("urea", q))
        case "fluid maintenance":
            kg = int(re.search(r"(\d+) kg", q)[1])  # type: ignore[index]
            return str(sum(4 if k < 10 else 2 if k < 20 else 1 for k in range(kg)))
        case "dose":
            kg, per_kg = re.search(r"(\d+) kg", q)[1], re.search(r"(\d+) mg/kg", q)[1]  # type: ignore
            cap = re.search(r"(?:at most|maximum(?: of)?) (\d+) mg", q)[1]  # type: ignore
            return str(min(int(kg) * int(per_kg), int(cap)))
        case "Glasgow coma scale":
            return str(sum(n for table in (EYES, VERBAL, MOTOR) for n, words in table.items() if words in q))
        case "CHA2DS2-VASc":
            return str((n[0] > 64) + (n[0] > 74) + ("woman" in q) + sum(v for k, v in RISKS.items() if k in q))
        case "qSOFA":
            return str((after("rate", q) > 21) + (after("pressure", q) < 101) + ("confused" in q))
        case "shop":
            paid = n.pop(0) if "has" in q.split("euros")[0] else n.pop()
            return str(paid - n[0] * n[1] - n[2] * n[3])
        case "stock":
            ups = [int(x) for x in re.findall(r"(\d+) (?:arrive|are added)", q)]
            downs = [int(x) for x in re.findall(r"(\d+) (?:leave|are removed)", q)]
            return str(n[0] + sum(ups) - sum(downs))
        case "share":
            return str((n[0] * n[1] - n[2]) // n[3])
        case "ages":
            first = int(re.search(r"is (\d+) years old\b", q)[1])  # type: ignore[index]
            factor = int(re.search(r"is (\d+) times", q)[1])  # type: ignore[index]
            gap = re.search(r"is (\d+) years (older|younger)", q)
            return str(first * factor + int(gap[1]) * (1 if gap[2] == "older" else -1))  # type: ignore[index]
        case "travel":
            return str(n[0] * n[1] + n[2] * n[3])
        case "ordering":
            return _place(q)
        case "turns":
            facing = DIRECTIONS.index(re.search("|".join(DIRECTIONS), q)[0])  # type: ignore[index]
            moves = re.findall(r"turns (\w+)", q)
            return "ABCD"[(facing + sum(TURNS[move] for move in moves)) % 4]
    raise AssertionError(f"no second route for {row.subject}")


def _place(question: str) -> str:
    """The asked person, from how many others stand above in the closure of the told relations."""
    above: dict[str, set[str]] = {}
    for a, word, b in re.findall(r"(\w+) is (\w+) than (\w+)", question):
        high, low = (a, b) if word in {scale[0] for scale in SCALES} else (b, a)
        above.setdefault(high, set())
        above.setdefault(low, set()).add(high)
    for _ in above:
        for person in above:
            above[person] |= {far for near in above[person] for far in above[near]}
    ranked = sorted(above, key=lambda person: len(above[person]))
    asked = question.rsplit("is the ", 1)[1]
    if asked.startswith("second"):
        return ranked[1]
    return ranked[0] if asked[:-1] in {scale[2] for scale in SCALES} else ranked[-1]


def test_there_is_something_to_check() -> None:
    assert len(ROWS) > 5000
    assert {row.subject for row in ROWS} == {name for families in FIELDS.values() for name in families}


def test_every_arithmetic_and_comparison_step_of_every_trace_is_true() -> None:
    checked = 0
    for row in ROWS:
        for left, sign, right, result in EQUATION.findall(row.trace or ""):
            assert OPERATORS[sign](int(left), int(right)) == int(result), row
            checked += 1
        for left, sign, right in COMPARISON.findall(row.trace or ""):
            assert SIGNS[sign](int(left), int(right)), row
            checked += 1
    assert checked > 10000


def test_every_gold_answer_is_what_the_question_alone_gives() -> None:
    wrong = [(row.question, row.gold, again(row)) for row in ROWS if again(row) != row.gold]
    assert wrong == []


def test_every_trace_ends_where_the_answer_is() -> None:
    for row in ROWS:
        last = (row.trace or "").splitlines()[-1]
        shown = row.options[row.gold] if row.options else row.gold
        assert shown in last or row.subject == "dose", row


@pytest.mark.parametrize("name", DEMO)
def test_every_dataset_row_scores_one_through_its_own_verifier(name: str) -> None:
    loaded = datasets()[name].load()
    assert 2000 <= len(loaded) <= 4000
    assert [row.id for row in loaded if not verify(row.answer, row).correct] == []


@pytest.mark.parametrize("name", DEMO[:2])
def test_every_benchmark_row_scores_one_through_its_own_verifier(name: str) -> None:
    loaded = benchmarks()[name].load()
    assert len(loaded) >= 250
    assert benchmarks()[name].version == "1"
    assert [row.id for row in loaded if not verify(row.answer, row).correct] == []


def test_the_combined_dataset_is_as_large_as_either_part_and_half_of_each() -> None:
    general, medical, combined = (datasets()[name].load() for name in DEMO)
    assert len(general) == len(medical) == len(combined)
    assert len({row.id for row in combined} & {row.id for row in general}) == len(combined) // 2
    assert len({row.id for row in combined} & {row.id for row in medical}) == len(combined) // 2
