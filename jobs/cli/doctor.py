"""`doctor`: what this machine has, what the store holds, what is missing and how to get it."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from typing import Literal

from jobs.catalog import specs
from jobs.keeper import worker_alive
from jobs.provenance import PACKAGES, cores, gpu_names, memory_gib, package_versions
from lab.bases.cards import bases
from lab.benchmarks.benchmark import benchmarks
from lab.core.errors import LabError
from lab.core.settings import Settings
from lab.data.dataset import datasets
from storage.database import Store, open_store
from storage.migrate import current_version
from storage.queries.jobs import counts_by_state

INSTALL = "run `make run` (or pip install -r requirements.txt)"


@dataclass(frozen=True)
class Finding:
    """One line of the examination. 'missing' makes the lab unusable, 'note' does not."""

    name: str
    value: str
    verdict: Literal["ok", "note", "missing"] = "ok"
    advice: str = ""


def examine(options: argparse.Namespace) -> int:
    """Exit code 0 when the lab can work here."""
    findings = [*_software(), *_hardware(), *_store(), *_contents()]
    if options.json:
        print(json.dumps([vars(finding) for finding in findings], indent=1))
    else:
        for finding in findings:
            mark = {"ok": "  ", "note": "- ", "missing": "! "}[finding.verdict]
            print(f"{mark}{finding.name:12} {finding.value}" + (f"\n{'':15}{finding.advice}" if finding.advice else ""))
    missing = [finding.name for finding in findings if finding.verdict == "missing"]
    print(f"Missing: {', '.join(missing)}." if missing else "The lab can work here.", file=sys.stderr)
    return 1 if missing else 0


def _software() -> list[Finding]:
    old = sys.version_info < (3, 11)
    found = [Finding("python", platform.python_version(), "missing" if old else "ok", "needs 3.11" if old else "")]
    versions = package_versions()
    for name in PACKAGES:
        if name in versions:
            found.append(Finding(name, versions[name]))
        else:
            found.append(Finding(name, "not installed", "missing", INSTALL))
    offline = os.environ.get("HF_HUB_OFFLINE", "") not in ("", "0")
    return [*found, Finding("network", "HF_HUB_OFFLINE is set: nothing is fetched" if offline else "hub allowed")]


def _hardware() -> list[Finding]:
    gpus = gpu_names()
    if gpus:
        usable = _torch_sees_cuda()
        gpu = Finding("GPUs", "; ".join(gpus), "ok" if usable else "note",
                      "" if usable else "torch sees none of them: install a CUDA build of torch")
    else:
        gpu = Finding("GPUs", "none", "note", "all runs on the CPU: enough for the demo bases, not for 8B models")
    return [gpu, Finding("cores", str(cores())), Finding("memory", f"{memory_gib()} GiB")]


def _torch_sees_cuda() -> bool:
    """Asked in a process of its own: loading torch takes seconds and memory."""
    code = "import torch, sys; sys.exit(0 if torch.cuda.is_available() else 1)"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120).returncode == 0


def _store() -> list[Finding]:
    try:
        settings = Settings.from_env()
        store = open_store()
    except LabError as error:
        return [Finding("store", str(error), "missing")]
    with store.read() as session:
        counts = counts_by_state(session)
    jobs = ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "no jobs yet"
    alive = worker_alive(store.home)
    return [
        Finding("store", f"{store.place} (version {current_version(store.write_engine)})"), Finding("jobs", jobs),
        _disk(store, settings), *_filesystem(store),
        Finding("worker", "serves the queue" if alive else "none", "ok" if alive else "note",
                "" if alive else "`make run` starts one; so do `python -m jobs worker` and submit --wait"),
    ]


def _disk(store: Store, settings: Settings) -> Finding:
    free = store.home.free_mib()
    if free >= settings.min_free_mib:
        return Finding("disk", f"{free / 1024:.1f} GiB free at {store.home}")
    return Finding("disk", f"only {free} MiB free at {store.home}", "missing",
                   f"free some space: a job needs {settings.min_free_mib} MiB to start (LAB_MIN_FREE_MIB)")


def _filesystem(store: Store) -> list[Finding]:
    kind = store.home.network_filesystem()
    return [Finding("file system", f"LAB_HOME is on {kind}, shared over the network")] if kind else []


def _contents() -> list[Finding]:
    groups = (("bases", bases), ("datasets", datasets), ("benchmarks", benchmarks), ("kinds", specs))
    found = []
    for name, registry in groups:
        names = ", ".join(sorted(registry()))
        found.append(Finding(name, names) if names else Finding(name, "none", "missing", "the checkout is not whole"))
    for card in bases().values():
        if card.path and not os.path.isdir(card.location()):
            found.append(Finding(card.name, f"no weights at {card.location()}", "missing",
                                 "python -m lab.bases.demo.build makes them"))
    return found
