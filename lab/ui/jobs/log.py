"""The log as it grows: its end in pieces of fixed size, so that what a reader looks at keeps its place.

The window begins at a multiple of the piece's size. It moves one piece at a time, and the block's script finds the
piece again that stood at the top. At most WINDOW + 1 pieces are sent, however long the log is.
"""

from __future__ import annotations

import os
from pathlib import Path

from lab.ui.components.markup import Html, join, tag

PIECE = 16 * 1024  # bytes
WINDOW = 3  # whole pieces before the one that grows

# Keeps to the end while the reader is there; elsewhere holds the line at the top still.
FOLLOW = """
const box = () => element.querySelector('.log-window');
let following = true, anchor = null, last = '';
const pieces = () => [...element.querySelectorAll('.log-window span[data-from]')];
const note = () => {
  const pre = box();
  if (!pre) return;
  following = pre.scrollHeight - pre.scrollTop - pre.clientHeight < 24;
  const top = pieces().filter((one) => one.offsetTop <= pre.scrollTop).pop();
  anchor = top ? [top.dataset.from, pre.scrollTop - top.offsetTop] : null;
  element.querySelector('.log-foot')?.classList.toggle('away', !following);
};
element.addEventListener('scroll', note, {capture: true, passive: true});
element.addEventListener('click', (event) => {
  if (!event.target.closest('.to-end')) return;
  event.preventDefault();
  const pre = box();
  pre.scrollTop = pre.scrollHeight;
});
const keep = () => {
  const pre = box();
  if (!pre) return;
  if (pre.dataset.job !== last) { last = pre.dataset.job; following = true; anchor = null; }
  if (following) pre.scrollTop = pre.scrollHeight;
  else if (anchor) {
    const top = pieces().find((one) => one.dataset.from === anchor[0]);
    pre.scrollTop = top ? top.offsetTop + anchor[1] : 0;
  }
  element.querySelector('.log-foot')?.classList.toggle('away', !following);
};
new MutationObserver(keep).observe(element, {subtree: true, childList: true, characterData: true});
new ResizeObserver(() => { if (following) keep(); }).observe(element);
"""


def log_window(path: Path, job_id: int, live: bool) -> Html:
    """The end of a log as a block with the script FOLLOW shows it. `live`: more may come."""
    pieces = read_pieces(path)
    shown = join(tag("span", text, data_from=start) for start, text in pieces) if pieces else "Nothing was written yet."
    window = tag("pre", shown, cls="log log-window", tabindex=0, role="log", aria_label=f"log of job {job_id}",
                 data_job=job_id, aria_live="off")
    return join([window, _foot(path, pieces[0][0] if pieces else 0, live)])


def read_pieces(path: Path) -> list[tuple[int, str]]:
    """(byte at which it begins, text) of the last pieces. A character that lies across two belongs to the first."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            first = max(0, size // PIECE - WINDOW)
            file.seek(first * PIECE)
            data = file.read((WINDOW + 1) * PIECE)
    except FileNotFoundError:
        return []
    if not data:
        return []
    cuts = [_next_character(data, at) for at in range(0, len(data), PIECE)]
    texts = [data[start:end].decode(errors="replace") for start, end in zip(cuts, [*cuts[1:], len(data)], strict=True)]
    return [((first + index) * PIECE, text) for index, text in enumerate(texts)]


def _next_character(data: bytes, at: int) -> int:
    """The first byte from `at` on that begins a UTF-8 character."""
    return next((place for place in range(at, min(at + 3, len(data))) if data[place] & 0xC0 != 0x80), at)


def _foot(path: Path, hidden: int, live: bool) -> Html:
    before = f" The first {hidden // 1024:,} KiB are in {path}.".replace(",", "\u202f") if hidden else ""
    if not live:
        return tag("p", f"The job has ended; this is all it wrote.{before}" if not hidden else
                   f"The job has ended; this is the end of what it wrote.{before}", cls="note log-foot")
    return tag("p", tag("span", "Following: new lines appear at the bottom.", cls="here"),
               tag("span", "Not following while you read here. ", tag("a", "Go to the end", href="#", cls="to-end"),
                   cls="elsewhere"), before, cls="note log-foot")
