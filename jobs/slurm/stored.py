"""The profiles of a lab: one YAML file each, in LAB_HOME/slurm. A user may edit them by hand; all faults are shown."""

from __future__ import annotations

from pathlib import Path

import yaml

from jobs.slurm.profile import SlurmProfile
from lab.core.errors import Fault, LabError, SpecError, UnknownName
from lab.core.spec import load_spec
from storage.files import Home

FOLDER = "slurm"


def profile_names(home: Home) -> list[str]:
    return sorted(path.stem for path in (home.path / FOLDER).glob("*.yaml"))


def read_profile(home: Home, name: str) -> SlurmProfile:
    """The profile of that name. Raises LabError when there is none, or when its file has faults."""
    names = profile_names(home)
    if name not in names:
        raise UnknownName("Slurm profile", name, names)
    path = home.path / FOLDER / f"{name}.yaml"
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        raise LabError(f"{path}{where}: not valid YAML ({getattr(error, 'problem', error)})", "spec") from None
    if not isinstance(values, dict):
        raise LabError(f"{path}: a profile is a mapping of its fields, for example partition: gpu", "spec")
    if values.setdefault("name", name) != name:
        raise SpecError([Fault("name", f"should be '{name}', as the file is called")], f"Slurm profile {path}")
    return load_spec(SlurmProfile, values, f"Slurm profile {path}")


def save_profile(home: Home, profile: SlurmProfile) -> Path:
    """Write its file, whole or not at all. The name has been checked: it cannot leave the folder."""
    path = home.path / FOLDER / f"{profile.name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(yaml.safe_dump(profile.as_dict(), sort_keys=False, allow_unicode=True), encoding="utf-8")
    return temporary.replace(path)


def remove_profile(home: Home, name: str) -> None:
    """Remove its file; jobs that were submitted with it go on."""
    if name not in profile_names(home):
        raise UnknownName("Slurm profile", name, profile_names(home))
    (home.path / FOLDER / f"{name}.yaml").unlink()


def template_path(home: Home, name: str) -> Path:
    """Where a user may put a batch template of their own for this profile."""
    return home.path / FOLDER / f"{name}.sbatch.jinja"
