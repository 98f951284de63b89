"""A ZIP with a manifest: how the files of a round travel. What comes from elsewhere is read with suspicion.

The manifest names what the bundle is, the round by uid, and the sha256 of each file. The same contents give the same
bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lab.core.errors import LabError

MANIFEST, FORMAT, VERSION = "manifest.json", "trace-lab rating bundle", 1
MIB = 2**20
MOST_PACKED, MOST_UNPACKED, MOST_FILES = 64 * MIB, 256 * MIB, 32
Kind = Literal["files", "round", "votes"]
SAFE_NAME = re.compile(r"[A-Za-z0-9_]+(\.[a-zA-Z]+)")
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError,
              KeyError)
EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Bundle:
    """`files`: the written record of a round; `round`: one to be rated elsewhere; `votes`: what was rated there."""

    kind: Kind
    round_uid: str
    files: Mapping[str, str] = field(repr=False)
    blinded: bool = True


def pack(bundle: Bundle) -> bytes:
    coded = {name: text.encode() for name, text in bundle.files.items()}
    manifest = {
        "format": FORMAT, "version": VERSION, "kind": bundle.kind, "round": bundle.round_uid,
        "blinded": bundle.blinded,
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in coded.items()},
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {MANIFEST: json.dumps(manifest, indent=1).encode(), **coded}.items():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, data)
    return out.getvalue()


def unpack(data: bytes) -> Bundle:
    """LabError, one sentence, for whatever is not a whole and unchanged bundle that this lab understands."""
    if len(data) > MOST_PACKED:
        raise LabError(f"the file has {len(data) // MIB} MiB; a bundle of ratings has at most {MOST_PACKED // MIB}.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_sizes(archive)
            manifest = _manifest(archive)
            files = {name: _read(archive, name, sha) for name, sha in manifest["files"].items()}
            extra = set(archive.namelist()) - set(files) - {MANIFEST}
    except UNREADABLE:
        raise LabError("the file is not a whole ZIP: it was cut or damaged on its way. Fetch it once more.") from None
    if extra:
        raise LabError(f"the bundle holds files that its manifest does not name: {', '.join(sorted(extra))[:200]}.")
    return Bundle(manifest["kind"], manifest["round"], files, bool(manifest.get("blinded", True)))


def _check_sizes(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if len(entries) > MOST_FILES or len(set(names)) != len(names):
        raise LabError("the ZIP holds more files than a bundle of ratings, or one of them twice.")
    if sum(entry.file_size for entry in entries) > MOST_UNPACKED:
        raise LabError(f"the ZIP would unpack to more than {MOST_UNPACKED // MIB} MiB: it is no bundle of ratings.")


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    if MANIFEST not in archive.namelist():
        raise LabError("the ZIP is no bundle of a rating round: it has no manifest.json.")
    try:
        found = json.loads(_bytes(archive, MANIFEST).decode())
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise LabError("the ZIP is no bundle of a rating round: its manifest is another one's.")
    version = found.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise LabError(f"the bundle has format {str(version)[:20]}, this lab reads up to {VERSION}: update the lab.")
    files = found.get("files")
    whole = (found.get("kind") in ("files", "round", "votes") and isinstance(files, dict)
             and all(SAFE_NAME.fullmatch(name) and isinstance(sha, str) for name, sha in files.items())
             and isinstance(found.get("round"), str) and re.fullmatch(r"[0-9a-f]{12}", found["round"]))
    if not whole:
        raise LabError("the bundle's manifest is not whole: fetch the file once more.")
    return found


def _read(archive: zipfile.ZipFile, name: str, sha: str) -> str:
    if name not in archive.namelist():
        raise LabError(f"the bundle lacks {name}, which its manifest names: fetch the file once more.")
    data = _bytes(archive, name)
    if hashlib.sha256(data).hexdigest() != sha:
        raise LabError(f"{name} is not what the bundle's manifest says: it was changed after it was written.")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise LabError(f"{name} of the bundle is not UTF-8 text.") from None


def _bytes(archive: zipfile.ZipFile, name: str) -> bytes:
    """Never more than was declared and checked, whatever the compressed bytes go on to say."""
    with archive.open(name) as file:
        return file.read(MOST_UNPACKED)
