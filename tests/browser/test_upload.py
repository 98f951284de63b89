"""A table of one's own on the Train page: uploaded, its columns named, kept and chosen, at two widths."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.data.importing import lineage_of

pytestmark = pytest.mark.browser
CSV = "Frage,Gedankengang,Antwort\n" + "".join(
    f"What is {n} plus 1?,{n}+1={n + 1},Answer: {n + 1}\n" for n in range(20)) + "No answer?,x,\n"


@pytest.mark.parametrize("width", [400])
def test_a_csv_with_columns_of_its_own_becomes_a_dataset(lab, browser, tmp_path: Path, width: int) -> None:
    from playwright.sync_api import expect

    table = tmp_path / f"notes {width}.csv"
    table.write_text(CSV)
    page = browser.new_page(viewport={"width": width, "height": 1000})
    page.goto(f"{lab.url}/train")
    page.get_by_text("Your own data").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload a table").click()
    chooser.value.set_files(str(table))
    expect(page.get_by_text("Choose at least the columns of the question and of the answer.")).to_be_visible()
    for label, column in (("Question", "Frage"), ("Answer", "Antwort"), ("Thinking", "Gedankengang")):
        box = page.get_by_label(label, exact=True).first
        box.click()
        box.fill(column)
        page.get_by_role("option", name=column).first.click()
    expect(page.get_by_text("20 can be used, 20 with thinking; 1 would be left out")).to_be_visible()
    expect(page.get_by_text("row 21: no answer")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Keep as a dataset").click()
    expect(page.get_by_text("and chosen as a dataset. 1 were left out.")).to_be_visible()
    (kept,) = (lab.home / "uploads").glob(f"notes-{width}-*.jsonl")
    expect(page.get_by_text(kept.name).first).to_be_visible()
    lineage = lineage_of(kept)
    assert lineage is not None and lineage.rows == 20 and lineage.source_file == table.name
    page.close()
