"""The theme: one colour per arm in both places, readable, nothing fetched from anywhere."""

import re
from typing import get_args

import numpy as np
import pytest

from lab.core.types import Target
from lab.ui.arms import ARMS
from lab.ui.components.interval_plot import SHAPES
from lab.ui.theme import CSS, HEAD, SCRIPT, THEME

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


def declared(selector: str) -> dict[str, str]:
    """The colours of every block with this selector."""
    return {name: colour for block in re.findall(rf"^{selector} {{(.*?)}}", CSS, re.S | re.M)
            for name, colour in variables(block).items()}


LIGHT, DARK = declared(":root"), declared(r"\.dark")


def test_black_on_white_has_the_contrast_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_every_target_an_example_can_teach_has_its_arm():
    assert set(ARMS) == {"base", *get_args(Target)}


@pytest.mark.parametrize("name", ARMS)
def test_each_arm_has_one_colour_and_one_shape_everywhere(name):
    arm = ARMS[name]
    assert (LIGHT[f"--arm-{name}"], DARK[f"--arm-{name}"]) == (arm.light, arm.dark)
    assert name in SHAPES and f".arm-{name} {{ --arm: var(--arm-{name}); }}" in CSS
    assert len({other.marker for other in ARMS.values()}) == len({other.sign for other in ARMS.values()}) == len(ARMS)


# What a dichromat sees of a linear colour: Machado, Oliveira, Fernandes 2009, table 1 at severity 1.
BLIND = {
    "none": np.eye(3),
    "protan": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                        [-0.003882, -0.048116, 1.051998]]),
    "deutan": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                        [-0.011820, 0.042940, 0.968881]]),
}
RGB_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def seen(colour: str, eye: str) -> np.ndarray:
    """CIE L*a*b* of a colour as that eye sees it."""
    channels = np.array([int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    xyz = RGB_TO_XYZ @ np.clip(BLIND[eye] @ linear, 0, 1) / np.array([0.9505, 1, 1.089])
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("shade", ["light", "dark"])
@pytest.mark.parametrize("eye", BLIND)
def test_the_controls_are_told_apart_from_every_other_arm_by_any_eye(eye, shade):
    """2.3 is the least difference people notice; neighbours in a plot need several times that."""
    for control in ("shuffled", "wrong"):
        for name, arm in ARMS.items():
            if name != control:
                gap = np.linalg.norm(seen(getattr(ARMS[control], shade), eye) - seen(getattr(arm, shade), eye))
                assert gap > 10, (control, name, gap)


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
