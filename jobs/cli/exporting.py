"""`export`: a variant as a folder for plain transformers, and to the hub where a place is named."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from jobs.exporting import gather
from lab.core.errors import LabError
from lab.export.export import export_variant
from lab.export.order import Wanted
from storage.database import open_store


def export(options: argparse.Namespace) -> int:
    """What happens goes to stderr with --json, whose one object is on stdout."""
    if options.private and not options.push:
        raise LabError("--private says how a pushed repository is made: name a place with --push ORG/NAME", "spec")
    wanted = Wanted(Path(options.folder), options.merged, options.push, options.private)
    stream = sys.stderr if options.json else sys.stdout
    done = export_variant(gather(open_store(), options.variant, wanted), lambda text: print(text, file=stream))
    if options.json:
        print(json.dumps({"folder": str(done.folder), "kind": done.kind, "n_bytes": done.n_bytes, "url": done.url}))
    return 0
