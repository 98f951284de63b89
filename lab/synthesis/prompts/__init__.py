"""The prompts of synthesis, one template a file, in the lab's own words after HuatuoGPT-o1 and FineMedLM-o1.

A template is Markdown with $names. A folder of one's own may hold some of them under the same file names; each must
use the same $names. `Prompts.shas` is what a dataset's lineage keeps.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template

from lab.core.errors import Fault, LabError, UnknownName

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Prompts:
    """Templates by name."""

    texts: dict[str, str]

    def write(self, name: str, **values: str) -> tuple[dict[str, str], ...]:
        """The messages of one request."""
        return ({"role": "user", "content": Template(self[name]).substitute(values)},)

    def __getitem__(self, name: str) -> str:
        if name not in self.texts:
            raise UnknownName("prompt", name, self.texts)
        return self.texts[name]

    def shas(self) -> dict[str, str]:
        """12 hex digits of each template's sha256."""
        return {name: hashlib.sha256(text.encode()).hexdigest()[:12] for name, text in sorted(self.texts.items())}


@cache
def own_prompts() -> Prompts:
    """The lab's own."""
    return Prompts({path.stem: path.read_text(encoding="utf-8").strip() for path in sorted(HERE.glob("*.md"))})


def read_prompts(folder: str) -> Prompts:
    """The lab's own, and in their place those of a folder. LabError with every fault of its files."""
    faults = check_prompts("prompts", folder)
    if faults:
        raise LabError("; ".join(fault.message for fault in faults), "spec")
    own = own_prompts()
    return Prompts(own.texts | _read(Path(folder).expanduser())) if folder else own


def check_prompts(field: str, folder: str) -> list[Fault]:
    """Faults of a folder of templates: no such folder, an unknown name, other $names than the lab's template has."""
    if not folder:
        return []
    path = Path(folder).expanduser()
    if not path.is_dir():
        return [Fault(field, f"the folder '{folder}' does not exist", folder)]
    try:
        found = _read(path)
    except (OSError, UnicodeDecodeError) as error:
        return [Fault(field, f"a template of '{folder}' cannot be read: {error}", folder)]
    if not found:
        return [Fault(field, f"the folder '{folder}' holds no template (.md)", folder)]
    return [fault for name, text in found.items() for fault in _template_faults(field, name, text)]


def _template_faults(field: str, name: str, text: str) -> list[Fault]:
    own = own_prompts().texts
    if name not in own:
        return [Fault(field, str(UnknownName("prompt", name, own)), name)]
    template = Template(text)
    if not template.is_valid():
        return [Fault(field, f"{name}.md: a '$' stands where no name follows; write '$$' for the sign itself", name)]
    wanted, found = set(Template(own[name]).get_identifiers()), set(template.get_identifiers())
    if wanted == found:
        return []
    said = [f"lacks ${missing}" for missing in sorted(wanted - found)]
    said += [f"has ${unknown}, which nothing fills" for unknown in sorted(found - wanted)]
    return [Fault(field, f"{name}.md {', '.join(said)}", name)]


def _read(folder: Path) -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8").strip() for path in sorted(folder.glob("*.md"))}
