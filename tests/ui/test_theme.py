"""The theme: one colour per arm in both places, readable, nothing fetched from anywhere."""

import re

import pytest

from lab.ui.components.html import ARMS
from lab.ui.components.interval_plot import SHAPES
from lab.ui.theme import ARM_COLOURS, ARM_MARKERS, CSS, HEAD, SCRIPT, THEME

SURFACES = ("#ffffff", "#171b22")  # light, dark


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def variables(block: str) -> dict[str, str]:
    return dict(re.findall(r"(--[a-z-]+): (#[0-9a-f]{6})", block))


LIGHT, DARK = (variables(CSS.split(name, 1)[1].split("}", 1)[0]) for name in (":root {", "\n.dark {"))


def test_black_on_white_has_the_contrast_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("arm", ARMS)
def test_each_arm_has_one_colour_and_one_shape_everywhere(arm):
    assert (LIGHT[f"--arm-{arm}"], DARK[f"--arm-{arm}"]) == ARM_COLOURS[arm]
    assert arm in SHAPES and arm in ARM_MARKERS
    assert len(set(ARM_MARKERS.values())) == len(ARMS)


TEXT = ("--arm", "--lab-text", "--lab-muted", "--lab-accent", "--lab-good", "--lab-bad", "--lab-warn", "--lab-busy")


@pytest.mark.parametrize("name", [name for name in LIGHT if name.startswith(TEXT) and not name.endswith("-soft")])
def test_text_colours_are_readable_on_cards_in_light_and_dark(name):
    assert contrast(LIGHT[name], SURFACES[0]) >= 4.5
    assert contrast(DARK[name], SURFACES[1]) >= 4.5


def test_no_text_is_smaller_than_13_px():
    sizes = [float(size) for size in re.findall(r"font-size: ?([0-9.]+)px", CSS)]
    assert sizes and min(sizes) >= 13
    assert min(float(getattr(THEME, name).removesuffix("px")) for name in ("text_xxs", "text_xs", "text_sm")) >= 13


@pytest.mark.parametrize("text", [CSS, SCRIPT, HEAD, THEME._get_theme_css()],
                         ids=["css", "script", "head", "theme"])
def test_the_look_fetches_nothing_from_another_host(text):
    text = text.replace("http://www.w3.org/2000/svg", "")  # the name of SVG's language, which nobody fetches
    assert not re.search(r"https?://|@import|//fonts", text)
