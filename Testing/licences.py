"""The licences of all packages that the project installs: written into docs/licences.md, checked without a network.

    python Testing/licences.py            # fails while a package has a licence that was not looked at
    python Testing/licences.py --write    # also writes the page

What each installed package says of itself is taken; a package that says it badly stands in ``SAID_ELSEWHERE``.
"""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "licences.md"
PROJECT = "dynamic-mri-recon"
#: groups of pyproject.toml: what users install, and what developers need besides
FOR_USERS, FOR_TESTS = ("slicer", "video", "cluster", "train"), ("test",)

#: licences under which a package may be used beside Apache-2.0, as SPDX has them
ALLOWED = {
    *("Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSD", "MIT", "MIT-0", "ISC", "0BSD", "PSF-2.0", "Python-2.0"),
    *(
        "MIT-CMU",
        "HPND",
        "Zlib",
        "Unlicense",
        "CC0-1.0",
        "BSL-1.0",
        "Bzip2-1.0.6",
        "NCSA",
        "Apache-2.0 WITH LLVM-exception",
    ),
    # used as they are and not changed: a file of theirs that is changed must stay under their licence
    *("MPL-2.0", "LGPL-3.0", "LGPL-2.1"),
    # as free as MIT, in the words of its authors (ISMRMRD Software License 1.0)
    "LicenseRef-IsmrmrdSoftwareLicense",
    # libraries of compilers, whose exception lets any program use them
    *("GPL-3.0-or-later WITH GCC-exception-3.1", "GPL-2.0-or-later WITH Bootloader-exception"),
}
#: programs that developers run, which nothing is linked with or made from
TOOLS = {"codespell": "GPL-2.0-only"}
#: what packages with no or an unclear word of their own are under, from the licence file that they come with
SAID_ELSEWHERE: dict[str, str] = {}
#: names in classifiers and free text, in the words of SPDX
_SPDX = {
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "apache": "Apache-2.0",
    "bsd license": "BSD",
    "bsd": "BSD",
    "new bsd": "BSD-3-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "mit license": "MIT",
    "mit": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
    "isc license (iscl)": "ISC",
    "gnu lesser general public license v3 (lgplv3)": "LGPL-3.0",
    "lgpl": "LGPL-3.0",
}


def packages() -> dict[str, tuple[str, str]]:
    """Every package that an installation of the project brings, by name: its licence, and whom it is for."""
    found: dict[str, tuple[str, str]] = {}
    for group, extras in (("users", FOR_USERS), ("developers", FOR_TESTS)):
        waiting = _wanted(extras)
        seen: set[tuple[str, str]] = set()
        while waiting:
            requirement = waiting.pop()
            name = _normal(requirement.name)
            try:
                package = distribution(requirement.name)
            except PackageNotFoundError:
                # of another system, or an extra that is not installed here
                continue
            found.setdefault(name, (licence_of(package), group))
            for extra in {"", *requirement.extras}:
                if (name, extra) not in seen:
                    seen.add((name, extra))
                    waiting += _needs(package, extra)
    return dict(sorted(found.items()))


def _wanted(extras: tuple[str, ...]) -> list[Requirement]:
    """What pyproject.toml asks for: the dependencies and some of the extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    texts = [*project["dependencies"], *(text for name in extras for text in project["optional-dependencies"][name])]
    return [one for one in map(Requirement, texts) if one.name != PROJECT]


def _needs(package: Distribution, extra: str) -> list[Requirement]:
    needs = [Requirement(text) for text in package.requires or []]
    return [one for one in needs if one.marker is None or one.marker.evaluate({"extra": extra})]


def licence_of(package: Distribution) -> str:
    """An SPDX expression."""
    name = _normal(package.metadata["Name"])
    if name in SAID_ELSEWHERE:
        return SAID_ELSEWHERE[name]
    if name.startswith("nvidia-"):
        return "NVIDIA"
    expression = package.metadata.get("License-Expression")
    if expression:
        return str(expression)
    classifiers = [
        text.split(" :: ")[-1] for text in package.metadata.get_all("Classifier") or [] if "License ::" in text
    ]
    named = [_SPDX.get(text.lower(), text) for text in classifiers if text != "OSI Approved"]
    if named:
        return " OR ".join(dict.fromkeys(named))
    text = (package.metadata.get("License") or "unknown").strip().splitlines()[0]
    return _SPDX.get(text.lower(), text)


def allowed(expression: str) -> bool:
    """Whether a licence was looked at: of alternatives one, of several that hold together all."""
    if expression == "NVIDIA":
        return True
    plain = re.sub(r"[()]", " ", expression)
    options = [[part.strip() for part in re.split(r"\sAND\s", option)] for option in re.split(r"\sOR\s", plain)]
    return any(all(_known(part) for part in option) for option in options)


def _known(name: str) -> bool:
    return name in ALLOWED or re.sub(r"-(only|or-later)$", "", name) in ALLOWED


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def page(found: dict[str, tuple[str, str]]) -> str:
    """The page."""
    lines = [
        "# Licences of the packages that this project uses",
        "",
        "Made by `Testing/licences.py` (`make lists`) from what the installed packages say of themselves; versions and",
        "systems differ in what they bring. `make lint` fails, without a network, while a package has a licence that",
        "nobody has looked at. Nothing of these packages is part of this repository. CUDA builds of PyTorch also bring",
        "NVIDIA's libraries (`nvidia-*`), which are under NVIDIA's own terms.",
        "",
        "| package | licence | for |",
        "|---|---|---|",
    ]
    rows = [f"| {name} | {licence} | {group} |" for name, (licence, group) in found.items() if licence != "NVIDIA"]
    return "\n".join([*lines, *rows, ""])


def problems(found: dict[str, tuple[str, str]], text: str) -> list[str]:
    """What a person has to look at."""
    listed = {row.split("|")[1].strip() for row in text.splitlines() if row.startswith("| ")}
    seen = {name: one for name, (one, _) in found.items() if allowed(one) or TOOLS.get(name) == one}
    bad = [f"{name}: licence {one!r} was not looked at" for name, (one, _) in found.items() if name not in seen]
    return bad + [
        f"{name} is missing in {PAGE.name}"
        for name, (one, _) in found.items()
        if one != "NVIDIA" and name not in listed
    ]


def main() -> int:
    found = packages()
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page(found), encoding="utf-8")
    wrong = problems(found, PAGE.read_text(encoding="utf-8") if PAGE.exists() else "")
    for sentence in wrong:
        sys.stderr.write(f"{sentence}: see Testing/licences.py\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
