"""`slurm`: the profiles of clusters; check one, add and remove them, and show what would be sent."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import yaml
from sqlmodel import Session, col, func, select

from jobs.cli.text import aligned
from jobs.clusters.cluster import PREFIX
from jobs.dry_run import dry_run
from jobs.queue import Wish
from jobs.slurm.engine import SlurmEngine
from jobs.slurm.profile import SlurmProfile
from jobs.slurm.stored import profile_names, read_profile, remove_profile, save_profile
from lab.core.errors import LabError
from lab.core.spec import load_spec, parse_overrides, read_recipe
from storage.database import open_store
from storage.tables import ENDED, Job

FAULTY = 1
COLUMNS = ("profile", "partition", "GPUs a node", "nodes", "limit", "at once", "jobs", "through")


def list_profiles(options: argparse.Namespace) -> int:
    """Every profile, how many jobs at once it allows, and how many have not ended."""
    store = open_store()
    found, faults = [], []
    for name in profile_names(store.home):
        try:
            profile = read_profile(store.home, name)
        except LabError as error:
            faults.append(str(error))
            continue
        with store.read() as session:
            found.append((profile, _n_living(session, name)))
    if options.json:
        print(json.dumps({"profiles": [{**one.as_dict(), "jobs": living} for one, living in found], "faults": faults}))
        return FAULTY if faults else 0
    if found:
        print(aligned(COLUMNS, [_cells(one, living) for one, living in found]))
    elif not faults:
        print("No profile yet. Write one as in docs/guide/slurm.md, then: python -m jobs slurm add FILE.yaml")
    print(*faults, sep="\n", end="\n" if faults else "")
    return FAULTY if faults else 0


def _cells(profile: SlurmProfile, living: int) -> list[str]:
    """One row under COLUMNS."""
    return [profile.name, profile.partition or "–", str(profile.gpus_per_node), str(profile.nodes_max),
            f"{profile.time_limit_minutes} min", str(profile.max_jobs), str(living), profile.ssh or "this machine"]


def _n_living(session: Session, name: str) -> int:
    """Jobs of this profile that have not ended."""
    query = select(func.count()).select_from(Job).where(Job.run_on == PREFIX + name, col(Job.state).not_in(ENDED))
    return session.exec(query).one()


def check_profile(options: argparse.Namespace) -> int:
    """Ask the cluster whether the profile is right for it."""
    home = open_store().home
    findings = SlurmEngine(read_profile(home, options.name), home).check()
    for finding in findings:
        print(f"{'fault' if finding.fault else 'note '}  {finding}")
    if any(finding.fault for finding in findings):
        return FAULTY
    print(f"ok     jobs can be sent with profile '{options.name}'.")
    return 0


def show_files(options: argparse.Namespace) -> int:
    """A dry run: the batch files that a recipe would become."""
    kind, values = read_recipe(options.recipe, parse_overrides(options.overrides))
    print(dry_run(open_store(), kind, values, Wish(run_on=PREFIX + options.name)), end="")
    return 0


def add_profile(options: argparse.Namespace) -> int:
    """Take a YAML file in as a profile; its name is the file's, unless it gives one."""
    home, path = open_store().home, Path(options.file)
    saved = save_profile(home, load_spec(SlurmProfile, _values(path), f"Slurm profile {path}"))
    print(f"profile '{saved.stem}' is in {saved}. Ask the cluster: python -m jobs slurm check {saved.stem}")
    return 0


def _values(path: Path) -> dict:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LabError(f"{path} cannot be read: {error.strerror}.", "spec") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LabError(f"{path} is not valid YAML: {' '.join(str(error).split())}", "spec") from None
    if not isinstance(values, dict):
        raise LabError(f"{path}: a profile is a mapping of its fields, for example partition: gpu", "spec")
    return {"name": path.stem, **values}


def remove_one(options: argparse.Namespace) -> int:
    """Remove a profile that no job needs any more."""
    store = open_store()
    with store.read() as session:
        living = _n_living(session, options.name)
    if living:
        raise LabError(f"{living} job(s) that have not ended run with profile '{options.name}', and nobody could ask "
                       "Slurm for them without it. Cancel them, or wait.", "spec")
    remove_profile(store.home, options.name)
    print(f"profile '{options.name}' is removed")
    return 0
