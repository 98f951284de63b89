"""Thousands of points as one picture: a path for each group, whose points are lines of no length with round ends.

One element a group instead of one a point keeps the page quick at 6,000 points. A click finds the nearest point among
the numbers of the paths themselves; a name of the legend lifts its group out of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from lab.ui.components.markup import Html, tag
from lab.ui.components.wiring import html_block

WIDTH, HEIGHT, MARGIN = 1000, 760, 24
# Told apart by people with any colour blindness as far as eight can be; further groups repeat them, and the legend's
# buttons lift one out.
N_COLOURS = 8
NEAREST = """
const points = (path) =>
  (path.getAttribute('d').match(/-?[\\d.]+ -?[\\d.]+/g) || []).map((p) => p.split(' ').map(Number));
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-group]');
  if (button) {
    const figure = button.closest('figure'), was = button.getAttribute('aria-pressed') === 'true';
    for (const other of figure.querySelectorAll('button[data-group]')) other.setAttribute('aria-pressed', 'false');
    button.setAttribute('aria-pressed', String(!was));
    figure.classList.toggle('one', !was);
    for (const path of figure.querySelectorAll('path'))
      path.classList.toggle('on', !was && path.dataset.group === button.dataset.group);
    return;
  }
  const svg = event.target.closest('svg.points');
  if (!svg) return;
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  const alone = svg.closest('figure').classList.contains('one');
  let best = null, least = Math.pow(40, 2);
  for (const path of svg.querySelectorAll('path')) {
    if (alone && !path.classList.contains('on')) continue;
    points(path).forEach(([x, y], index) => {
      const far = (x - at.x) ** 2 + (y - at.y) ** 2;
      if (far < least) { least = far; best = path.dataset.rows.split(' ')[index]; }
    });
  }
  if (best !== null) trigger('pick', {at: best});
});
"""


@dataclass(frozen=True)
class Group:
    """Points of one name; `rows` are whole numbers that a click reports, one for each point."""

    name: str
    points: Sequence[tuple[float, float]]
    rows: Sequence[int]


def scatter_block(**settings: Any) -> gr.HTML:
    """A block for scatters: `block.pick(fn, …)` with `event._data["at"]`, the number of the nearest point's row."""
    return html_block(js_on_load=NEAREST, **settings)


def scatter(groups: Sequence[Group], title: str, about: str = "") -> Html:
    """All groups in one field, distances alike in both directions; the legend counts them."""
    found = [point for group in groups for point in group.points]
    if not found:
        return Html("")
    place = _placing(found)
    paths = [tag("path", d="".join(f"M{x} {y}h0" for x, y in map(place, group.points)), data_group=number,
                 data_rows=" ".join(map(str, group.rows)), cls=f"group-{number % N_COLOURS}")
             for number, group in enumerate(groups)]
    picture = tag("svg", *paths, viewBox=f"0 0 {WIDTH} {HEIGHT}", cls="points", role="img",
                  aria_label=f"{title}: {len(found)} points in {len(groups)} groups")
    legend = [tag("button", tag("i", cls=f"group-{number % N_COLOURS}", aria_hidden="true"), group.name,
                  tag("small", len(group.points)), type="button", data_group=number, aria_pressed="false")
              for number, group in enumerate(groups)]
    caption = tag("figcaption", title, tag("small", about) if about else None)
    return tag("figure", caption, picture, tag("div", *legend, cls="legend", role="group", aria_label="groups"),
               cls="scatter")


def _placing(points: Sequence[tuple[float, float]]) -> Any:
    """From a point's own numbers to whole units of the picture, up being up."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    low_x, low_y, wide, high = min(xs), min(ys), (max(xs) - min(xs)) or 1, (max(ys) - min(ys)) or 1
    scale = min((WIDTH - 2 * MARGIN) / wide, (HEIGHT - 2 * MARGIN) / high)
    left, top = (WIDTH - scale * wide) / 2, (HEIGHT - scale * high) / 2
    return lambda point: (round(left + scale * (point[0] - low_x), 1),
                          round(HEIGHT - top - scale * (point[1] - low_y), 1))
