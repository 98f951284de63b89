"""Mixtures and caps: slices as the datasets library reads them, parts interleaved in proportion, ids unique."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.core.errors import LabError
from lab.core.types import Example
from lab.data.dataset import with_own_ids
from lab.data.mixture import Part, interleave, parse, repeated_questions


def rows(name: str, count: int) -> list[Example]:
    return [Example(id=f"{name}-{i}", question=f"{name} {i}?", answer="a", gold="a") for i in range(count)]


def test_an_expression_is_a_sum_of_parts() -> None:
    assert parse("a") == [Part("a")]
    assert parse(" a + b[:1200]+c[10%:50%] ") == [Part("a"), Part("b", "", "1200"), Part("c", "10%", "50%")]
    assert str(parse("b[:1200]")[0]) == "b[:1200]"


def test_a_plus_in_the_name_of_a_file_that_is_there_is_no_sum(tmp_path: Path) -> None:
    file = tmp_path / "a+b.jsonl"
    file.touch()
    assert parse(str(file)) == [Part(str(file))]


WRONG = [("", "no dataset"), ("a + ", "nothing beside"), ("a[:x]", "'x' is neither"), ("a[5]", "chosen like"),
         ("a[:50", "chosen like"), ("a[:]", "chosen like"), ("a[:120%]", "more than all"), ("[:5]", "chosen like")]


@pytest.mark.parametrize(("expression", "said"), WRONG)
def test_a_broken_expression_says_where(expression: str, said: str) -> None:
    with pytest.raises(LabError, match="(?s).*") as caught:
        parse(expression)
    assert said in str(caught.value) and caught.value.reason == "spec"


@pytest.mark.parametrize("bounds", [":3", "3:", "2:5", "-4:", ":-4", ":50%", "25%:75%", "-30%:", ":0%", "9:"])
def test_a_cap_takes_the_rows_the_datasets_library_takes(bounds: str) -> None:
    import datasets as library

    ten = rows("a", 10)
    expected = library.Dataset.from_list([{"id": row.id} for row in ten])
    # The library's own reading of the notation, on the same ten rows.
    instruction = library.ReadInstruction.from_spec(f"train[{bounds}]").to_absolute({"train": len(ten)})[0]
    wanted = expected[instruction.from_:instruction.to]["id"]
    if not wanted:
        with pytest.raises(LabError, match="leaves no row"):
            parse(f"a[{bounds}]")[0].cut(ten)
        return
    assert [row.id for row in parse(f"a[{bounds}]")[0].cut(ten)] == wanted


def test_every_stretch_of_a_mixture_has_its_parts_in_their_shares() -> None:
    mixed = interleave([rows("a", 300), rows("b", 100)])
    assert len(mixed) == 400
    for start in range(0, 400, 40):
        stretch = mixed[start:start + 40]
        assert 29 <= sum(row.id.startswith("a-") for row in stretch) <= 31
    assert [row.id for row in mixed if row.id.startswith("a-")] == [row.id for row in rows("a", 300)]
    assert interleave([rows("a", 300), rows("b", 100)]) == mixed


def test_ids_are_made_unique_and_repeated_questions_counted() -> None:
    one, two = rows("a", 5), rows("a", 3)
    mixed = interleave([one, two])
    assert len({row.id for row in mixed}) == 8 and {"a-0", "a-0-2"} <= {row.id for row in mixed}
    assert repeated_questions([one, two]) == 3 and repeated_questions([one, rows("b", 3)]) == 0


def test_a_name_that_is_taken_already_is_not_given_again() -> None:
    named = [Example(id=name, question=f"{n}?", answer="a", gold="a") for n, name in enumerate(("q", "q", "q-2", "q"))]
    assert [one.id for one in with_own_ids(named)] == ["q", "q-2", "q-2-2", "q-3"]
