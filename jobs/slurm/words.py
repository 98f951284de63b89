"""What a user may write into a profile, and how it is quoted: no value can become a second line or another command.

sbatch reads `#SBATCH` lines up to the first command and parses quotes there; everything after is shell. Values are
checked when the profile is read, so a batch file is never rendered from a value that nobody looked at.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from lab.core.errors import LabError

WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.,:+@-]*")
CONSTRAINT = re.compile(r"[A-Za-z0-9_.,:+@&|*()\[\]-]+")
OPTION = re.compile(r"--([a-z][a-z0-9-]*)(?:=([A-Za-z0-9_.,:+=@%/\[\]*&|()~^-]+))?")
# What the lab writes itself, or what would hide a job from it. getopt takes any clear beginning of a name, too.
OWNED = (
    "account", "array", "begin", "chdir", "clusters", "comment", "constraint", "cpus-per-task", "dependency", "error",
    "export", "export-file", "gres", "help", "hold", "input", "job-name", "mem", "no-requeue", "nodes", "ntasks",
    "ntasks-per-node", "open-mode", "output", "parsable", "partition", "qos", "quiet", "requeue", "signal", "test-only",
    "time", "usage", "user", "uid", "version", "wait", "wrap",
)


def has_control_characters(text: str) -> bool:
    """Line ends of any kind, NUL, escapes: nothing of this kind belongs in a setting."""
    return any(ord(letter) < 32 or ord(letter) in (127, 0x85, 0x2028, 0x2029) for letter in text)


def slurm_word(value: str) -> str:
    """A partition, account, QOS or GPU type: one plain word, or nothing for the site's own default."""
    if value and not WORD.fullmatch(value):
        raise ValueError("should be one word of letters, digits and _ . , : + @ -")
    return value


def feature_expression(value: str) -> str:
    if value and not CONSTRAINT.fullmatch(value):
        raise ValueError("should be Slurm's feature expression without spaces, for example h100&nvlink")
    return value


def full_path(value: str) -> str:
    """A path on the nodes."""
    if value and (not value.startswith("/") or has_control_characters(value)):
        raise ValueError("should be a full path that starts with /, on one line")
    return value


def setup_line(value: str) -> str:
    """One shell line that is complete in itself: it cannot swallow the line after it."""
    if has_control_characters(value.replace("\t", " ")):
        raise ValueError("a setup line is one line; give each command a line of its own in the list")
    try:
        shlex.split(value)
    except ValueError:
        raise ValueError(f"'{value}' is not complete: a quote is open, or it ends in a backslash") from None
    if re.search(r"(?<!<)<<(?!<)", value):
        raise ValueError(f"'{value}' begins a here-document, which would swallow the lines after it")
    if value.lstrip().upper().startswith("#SBATCH"):
        raise ValueError(f"'{value}' would not be read by sbatch here; write it under extra_sbatch, without #SBATCH")
    return value


def sbatch_option(value: str) -> str:
    """One more option for sbatch, `--x` or `--x=y`, that the lab does not set itself."""
    match = OPTION.fullmatch(value)
    if not match:
        raise ValueError(f"'{value}' should look like --exclusive or --container-image=/images/lab.sqsh, without "
                         "spaces and quotes")
    owned = next((name for name in OWNED if name.startswith(match[1])), None)
    if owned:
        raise ValueError(f"'{value}' is not for here: the lab sets --{owned} itself; see the profile's other fields")
    return value


def command_prefix(value: str) -> str:
    """A command that hands its last argument to a shell elsewhere, as ssh does."""
    try:
        words = shlex.split(value)
    except ValueError:
        raise ValueError("a quote is open, or it ends in a backslash") from None
    if has_control_characters(value) or (value and not words):
        raise ValueError("should be one command on one line, for example: ssh login1")
    return value


def in_directive(path: Path) -> str:
    """A file in a `#SBATCH` line; its name may be one of Slurm's patterns. In a folder's, % would begin one too, and
    quotes and backslashes are sbatch's own."""
    folder = str(path.parent)
    if has_control_characters(folder) or any(letter in folder for letter in "\"'\\%"):
        raise LabError(f"the folder {folder!r} cannot be named in a Slurm batch file: its path holds a quote, a "
                       "backslash, a % or a line end. Set LAB_HOME to a folder with a plain name.", "cluster")
    return str(path) if re.fullmatch(r"[A-Za-z0-9_./+@:,=-]+", folder) else f'"{path}"'
