"""A button that saves a file the server has just made: nothing is written to disk, and the file is never stale."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from lab.ui.components.wiring import quiet

SAVE = """(made) => {
  if (!made || !made.name) return;
  const link = document.createElement('a');
  const bytes = made.base64 && Uint8Array.from(atob(made.base64), (sign) => sign.charCodeAt(0));
  link.href = URL.createObjectURL(bytes ? new Blob([bytes], {type: made.type})
    : new Blob([made.text], {type: made.type + ';charset=utf-8'}));
  link.download = made.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}"""
TYPES = {"csv": "text/csv", "json": "application/json", "jsonl": "application/jsonl", "md": "text/markdown",
         "tex": "application/x-tex", "zip": "application/zip", "R": "text/plain"}


def download_button(
    label: str, make: Callable[..., tuple[str, str | bytes]], inputs: Sequence[Any], **settings: Any
) -> gr.Button:
    """`make(*inputs)` gives (file name, text or bytes) when the button is pressed."""
    button = gr.Button(label, size="sm", scale=0, min_width=110, **settings)
    made = gr.JSON(visible=False)

    def offer(*values: Any) -> dict[str, str]:
        name, content = make(*values)
        held = {"base64": b64encode(content).decode()} if isinstance(content, bytes) else {"text": content}
        return {"name": name, "type": TYPES[name.rsplit(".", 1)[-1]], **held}

    quiet(button.click, offer, inputs, [made]).then(None, [made], None, js=SAVE)
    return button
