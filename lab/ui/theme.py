"""The one theme: colours, sizes and the style sheet. System fonts only; nothing is fetched from anywhere."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from gradio.themes.utils.colors import Color
from gradio.themes.utils.sizes import Size

from lab.ui.arms import arm_styles

SHEETS = ("theme.css", "reading.css", "ratings.css", "jobs.css", "models.css", "check.css", "compare.css",
          "benchmarks.css", "data.css")
CSS = "\n".join([arm_styles(), *((Path(__file__).parent / name).read_text(encoding="utf-8") for name in SHEETS)])
SCRIPT = (Path(__file__).parent / "theme.js").read_text(encoding="utf-8")
ICON = (  # a data URL: the browser asks nobody for it
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M2 12 6 5l3 4 5-7' "
    "fill='none' stroke='%230b5c92' stroke-width='2.2' stroke-linecap='round' stroke-linejoin='round'/%3E%3C/svg%3E"
)
HEAD = f'<link rel="icon" href="{ICON}"/>\n<script>{SCRIPT}</script>'

SANS = ["ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"]
MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace"]

ACCENT = Color(
    name="petrol", c50="#eff7fc", c100="#dbedf8", c200="#b5d9ef", c300="#83bee2", c400="#4f9fce", c500="#2280b6",
    c600="#0b6ba3", c700="#0b5c92", c800="#0d4c78", c900="#103f62", c950="#0b2a42",
)
INK = Color(
    name="ink", c50="#f7f8fa", c100="#eff1f4", c200="#dfe3e8", c300="#c6ccd5", c400="#969fac", c500="#6a7382",
    c600="#4c5563", c700="#363e4a", c800="#20262f", c900="#171b22", c950="#0f1217",
)
TEXT = Size(name="dense", xxs="13px", xs="13px", sm="13px", md="14px", lg="15px", xl="18px", xxl="22px")


def build_theme() -> gr.themes.Base:
    """Gradio's own widgets in the lab's colours."""
    theme = gr.themes.Base(
        primary_hue=ACCENT, secondary_hue=ACCENT, neutral_hue=INK, text_size=TEXT,
        spacing_size=gr.themes.sizes.spacing_sm, radius_size=gr.themes.sizes.radius_md, font=SANS, font_mono=MONO,
    )
    return theme.set(
        body_background_fill="#f7f8fa", body_background_fill_dark="#0f1217",
        block_background_fill="#ffffff", block_background_fill_dark="#171b22",
        block_border_width="1px", block_border_color="#dfe3e8", block_border_color_dark="#2c333d",
        block_shadow="none", block_label_text_size="13px", block_title_text_weight="600",
        block_info_text_color="#4c5563", block_info_text_color_dark="#a9b1bf",
        block_label_background_fill="transparent", block_label_background_fill_dark="transparent",
        input_background_fill="#ffffff", input_background_fill_dark="#12161c",
        input_border_color="#969fac", input_border_color_dark="#4c5563", input_border_width="1px",
        button_primary_background_fill="#0b5c92", button_primary_background_fill_hover="#0d4c78",
        button_primary_background_fill_dark="#2280b6", button_primary_background_fill_hover_dark="#4f9fce",
        button_primary_text_color="#ffffff", button_primary_text_color_dark="#ffffff",
        button_secondary_background_fill="#ffffff", button_secondary_background_fill_dark="#20262f",
        button_secondary_border_color="#969fac", button_secondary_border_color_dark="#4c5563",
        button_border_width="1px", button_large_padding="7px 16px", button_large_text_size="14px",
        button_small_padding="4px 10px", button_large_text_weight="600",
        button_cancel_background_fill="#ffffff", button_cancel_background_fill_dark="#20262f",
        button_cancel_text_color="#b42318", button_cancel_text_color_dark="#ff8b80",
        button_cancel_border_color="#b42318", button_cancel_border_color_dark="#ff8b80",
        link_text_color="#0b5c92", link_text_color_dark="#83bee2",
    )


THEME = build_theme()
