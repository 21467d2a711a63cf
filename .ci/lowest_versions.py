"""Every bound of pyproject.toml is what is installed here: the lowest versions really are the lowest."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

from packaging.version import Version

project = tomllib.loads((Path(__file__).resolve().parents[1] / "pyproject.toml").read_text())["project"]
extras = project["optional-dependencies"]
stated = [*project["dependencies"], *(bound for name in extras if name != "all" for bound in extras[name])]

wrong = []
for bound in stated:
    name, lowest = re.fullmatch(r"([\w-]+)>=([\d.]+)", bound).groups()
    installed = version(name)
    print(f"{bound}: {installed}")
    # A bound of 1.5 is met by 1.5.0, and by no 1.5.1 where a 1.5.0 can be had.
    if Version(installed).release[: len(Version(lowest).release)] != Version(lowest).release:
        wrong.append(f"{bound}, but {installed} is installed")
if wrong:
    raise SystemExit("not the lowest versions: " + "; ".join(wrong))
