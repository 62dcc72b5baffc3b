"""What Parley is made of, read off the locks: an audit against known advisories, and a bill of materials.

python -m tests.support.supply audit     (`make audit`)
python -m tests.support.supply sbom      (`make sbom`): CycloneDX 1.6 on standard output
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from bot import VERSION

ROOT = Path(__file__).parents[2]
LOCKS = (ROOT / "requirements.lock", ROOT / "requirements-dev.lock")
PACKAGE = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")

FOUND, NOT_AUDITED = 1, 3  # exit statuses


@dataclass(frozen=True, slots=True)
class Locked:
    name: str
    version: str
    hashes: tuple[str, ...]


def locked(path: Path) -> list[Locked]:
    """Every package of a lock with the hashes of its files."""
    text = path.read_text("utf-8")
    starts = [*PACKAGE.finditer(text)]
    ends = [*(match.start() for match in starts[1:]), len(text)]
    return [
        Locked(match["name"], match["version"], tuple(HASH.findall(text[match.start() : end])))
        for match, end in zip(starts, ends, strict=True)
    ]


def audit(path: Path) -> tuple[int, str]:
    """Exit status and what is to be said of one lock."""
    command = ["-m", "pip_audit", "-r", str(path), "--require-hashes", "--disable-pip", "-f", "json"]
    done = subprocess.run(
        [sys.executable, *command, "--progress-spinner", "off"], capture_output=True, text=True, check=False
    )
    try:
        report = json.loads(done.stdout)
    except ValueError:
        why = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        return NOT_AUDITED, f"{path.name}: NOT audited, the advisory service cannot be reached ({why})"
    return verdict(path.name, report)


def verdict(name: str, report: Mapping[str, Any]) -> tuple[int, str]:
    """What pip-audit's report comes to. What it skipped is not fine, though it says so itself."""
    packages = report["dependencies"]
    found = [
        f"{name}: {package['name']} {package['version']}: {hole['id']}, mended in {hole['fix_versions']}"
        for package in packages
        for hole in package.get("vulns", ())
    ]
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if found:
        return FOUND, "\n".join(found)
    if skipped or not packages:
        return NOT_AUDITED, f"{name}: {len(skipped)} of {len(packages)} packages were NOT audited"
    return 0, f"{name}: {len(packages)} packages, no known advisory"


def sbom() -> str:
    """What runs, as CycloneDX JSON: the same for the same lock, save for time and serial number."""
    about = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    parley = Component(name=about["name"], version=VERSION, type=ComponentType.APPLICATION, bom_ref="parley")
    parts = [component(package) for package in locked(LOCKS[0])]
    bom = Bom(components=parts)
    bom.metadata.component = parley
    bom.register_dependency(parley, parts)
    return JsonV1Dot6(bom).output_as_string(indent=2)


def component(package: Locked) -> Component:
    url = PackageURL("pypi", None, package.name, package.version)
    return Component(
        name=package.name,
        version=package.version,
        type=ComponentType.LIBRARY,
        bom_ref=url.to_string(),
        purl=url,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=given) for given in package.hashes],
    )


def main(command: str) -> int:
    if command == "sbom":
        print(sbom())
        return 0
    results = [audit(path) for path in LOCKS]
    print("\n".join(said for _, said in results))
    statuses = [status for status, _ in results]
    return FOUND if FOUND in statuses else max(statuses)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
