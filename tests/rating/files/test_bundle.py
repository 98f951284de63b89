"""A bundle comes back whole, or with one sentence that says why not."""

from __future__ import annotations

import io
import json
import zipfile
from random import Random

import pytest

from lab.core.errors import LabError
from lab.rating.files import bundle as bundles
from lab.rating.files.bundle import MANIFEST, Bundle, pack, unpack

GOOD = Bundle("round", "0123456789ab", {"units.jsonl": "{}\n", "design.json": '{"a": "é"}'})


def rezipped(change, data: bytes = b"") -> bytes:
    """The good bundle with its files changed by `change(dict)`."""
    with zipfile.ZipFile(io.BytesIO(data or pack(GOOD))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def manifest(**changes):
    def change(files):
        files[MANIFEST] = json.dumps(json.loads(files[MANIFEST]) | changes).encode()
    return change


def test_what_is_packed_comes_back_and_the_same_contents_are_the_same_bytes():
    assert unpack(pack(GOOD)) == GOOD and pack(GOOD) == pack(GOOD)


@pytest.mark.parametrize("cut", [0, 10, 200, -1, -30])
def test_a_cut_file_is_told(cut):
    with pytest.raises(LabError, match="not a whole ZIP"):
        unpack(pack(GOOD)[:cut])


@pytest.mark.parametrize("data", [b"", b"PK\x05\x06" + b"\0" * 18, b"hello" * 100])
def test_what_is_no_bundle_is_told(data):
    with pytest.raises(LabError, match="not a whole ZIP|no bundle"):
        unpack(data)


@pytest.mark.parametrize(("change", "said"), [
    (lambda files: files.update({"units.jsonl": b"{} "}), "changed after it was written"),
    (lambda files: files.pop("units.jsonl"), "lacks units.jsonl"),
    (lambda files: files.pop(MANIFEST), "no manifest"),
    (lambda files: files.update({MANIFEST: b"[" * 100_000}), "no bundle|not a whole"),
    (lambda files: files.update({MANIFEST: b"{}"}), "another one's"),
    (lambda files: files.update({"../evil.txt": b""}), "does not name: ../evil.txt"),
    (lambda files: files.update({f"f{place}": b"" for place in range(40)}), "more files"),
    (manifest(version=99), "reads up to 1: update"),
    (manifest(version="x"), "update the lab"),
    (manifest(kind="malware"), "not whole"),
    (manifest(round="../../x"), "not whole"),
    (manifest(files={"../x": "0"}), "not whole"),
    (manifest(files=[1]), "not whole"),
])
def test_a_strange_bundle_is_refused_with_one_sentence(change, said):
    with pytest.raises(LabError, match=said) as told:
        unpack(rezipped(change))
    assert "\n" not in str(told.value) and len(str(told.value)) < 300


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch):
    bomb = rezipped(lambda files: files.update({"units.jsonl": b"\0" * 5_000_000}))
    assert len(bomb) < 50_000
    monkeypatch.setattr(bundles, "MOST_UNPACKED", 4_000_000)
    with pytest.raises(LabError, match="would unpack to more"):
        unpack(bomb)


def test_a_bomb_that_lies_about_its_size_is_cut_off(monkeypatch):
    data = bytearray(rezipped(lambda files: files.update({"units.jsonl": b"\0" * 5_000_000})))
    size = (5_000_000).to_bytes(4, "little")
    while (at := data.find(size)) >= 0:
        data[at:at + 4] = (100).to_bytes(4, "little")
    monkeypatch.setattr(bundles, "MOST_UNPACKED", 4_000_000)
    with pytest.raises(LabError):
        unpack(bytes(data))


def test_a_bundle_with_any_byte_changed_is_told_or_the_same():
    random = Random(5)
    for _ in range(400):
        data = bytearray(pack(GOOD))
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        try:
            assert unpack(bytes(data)) == GOOD  # a date or a flag that nobody reads
        except LabError as told:
            assert "\n" not in str(told)


def test_a_file_that_is_too_large_packed_is_refused(monkeypatch):
    monkeypatch.setattr(bundles, "MOST_PACKED", 100)
    with pytest.raises(LabError, match="MiB"):
        unpack(pack(GOOD))
