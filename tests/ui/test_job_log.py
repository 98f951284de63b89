"""The log as it grows: pieces that stay where they are."""

import pytest

from lab.ui.jobs import log
from lab.ui.jobs.log import PIECE, WINDOW, log_window, read_pieces


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 9 * PIECE + 77])
def test_the_pieces_are_the_end_of_the_log_and_never_more_than_the_window(tmp_path, size):
    text = ("größer als 1 € " * (size // 10 + 1)).encode()[:size].decode(errors="ignore")
    file = tmp_path / "log.txt"
    file.write_text(text, encoding="utf-8")
    pieces = read_pieces(file)
    whole = "".join(piece for _, piece in pieces)
    assert text.endswith(whole) and len(whole.encode()) <= (WINDOW + 1) * PIECE
    assert len(whole.encode()) >= min(len(text.encode()), WINDOW * PIECE - 3)
    assert "�" not in whole


def test_a_piece_keeps_its_text_while_the_log_grows(tmp_path):
    file = tmp_path / "log.txt"
    file.write_text("ab" + "ü" * PIECE, encoding="utf-8")  # two bytes each: a little more than two pieces
    before = dict(read_pieces(file))
    with file.open("a", encoding="utf-8") as grows:
        grows.write("ü" * (PIECE // 2))
    after = dict(read_pieces(file))
    assert before[0] == after[0] and before[PIECE] == after[PIECE] and len(after) > len(before)


def test_what_is_cut_off_is_said_with_where_it_is(tmp_path):
    file = tmp_path / "log.txt"
    file.write_text("x" * (WINDOW + 3) * PIECE)
    assert "The first 48 KiB are in" in log_window(file, 1, live=True)
    assert "Following" in log_window(file, 1, live=True) and "has ended" in log_window(file, 1, live=False)


def test_a_log_is_shown_as_text(tmp_path):
    file = tmp_path / "log.txt"
    file.write_text("<script>{{x}} ${y}")
    html = log_window(file, 1, live=False)
    assert "<script" not in html and "{{" not in html
    assert "Nothing was written yet" in log_window(tmp_path / "none", 1, live=True)
    assert log.FOLLOW.count("data-from") and "data-from" in html
