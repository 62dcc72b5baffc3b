"""What Parley is made of is locked, listed, audited, and holds no secret."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from bot.text.redact import redact
from tests.support.house import FOLDERS
from tests.support.supply import FOUND, LOCKS, NOT_AUDITED, ROOT, locked, sbom, verdict


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_attack_35_every_package_is_locked_to_files_of_known_hashes(path: Path) -> None:
    packages = locked(path)
    assert len(packages) > 20
    for package in packages:
        assert package.hashes, package.name
    text = path.read_text("utf-8")
    assert len(packages) == len(re.findall(r"^\S", text, re.MULTILINE)), "no line is anything else"
    assert not re.search(r"^(--|-e|git\+|https?:)", text, re.MULTILINE), "nothing is fetched from elsewhere"


def test_attack_35_both_locks_agree() -> None:
    running, working = ({p.name: p.version for p in locked(path)} for path in LOCKS)
    assert {name: working.get(name) for name in running} == running


def test_attack_35_the_image_takes_only_what_is_locked_and_runs_as_nobody_special() -> None:
    image = (ROOT / "Dockerfile").read_text("utf-8")
    assert "--require-hashes -r requirements.lock" in image
    assert re.search(r"^USER (?!root)", image, re.MULTILINE)
    service = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]["parley"]
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert "no-new-privileges:true" in service["security_opt"]


def test_what_runs_needs_no_more_packages_than_it_imports() -> None:
    """tldextract is a list of domains to us, read from its folder."""
    given = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    names = {re.split(r"[=<>;\[ ]", one)[0].replace("-", "_") for one in given}
    source = "\n".join(
        path.read_text("utf-8") for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")
    )
    unused = {
        name
        for name in names
        if not re.search(rf"^\s*(import|from) {IMPORTED.get(name, name)}\b", source, re.M)
    }
    assert unused == {"tldextract"}
    assert 'find_spec("tldextract")' in source


def test_the_image_asks_the_bot_itself_for_its_health_and_publishes_what_http_needs() -> None:
    image = (ROOT / "Dockerfile").read_text("utf-8")
    assert 'CMD ["parley", "health"]' in image
    service = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]["parley"]
    assert service["ports"] == ["127.0.0.1:${PORT:-3000}:${PORT:-3000}"]


def test_the_image_can_read_pages_that_are_pictures() -> None:
    image = (ROOT / "Dockerfile").read_text("utf-8")
    assert "ARG TESSERACT=tesseract-ocr\n" in image[image.rindex("FROM ") :]
    assert "apt-get install -y --no-install-recommends ${TESSERACT}" in image


def test_several_bots_on_postgresql_are_composed_as_the_single_one_is() -> None:
    one = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]["parley"]
    scale = yaml.safe_load((ROOT / "compose.scale.yaml").read_text("utf-8"))
    bots = [service for name, service in scale["services"].items() if name.startswith("bot-")]
    assert len(bots) == 2
    ports = [bot.pop("ports") for bot in bots]
    assert bots[0] == bots[1], "nothing but their ports tells them apart"
    assert all(port.startswith("127.0.0.1:") for published in ports for port in published)
    for same in ("build", "env_file", "read_only", "cap_drop", "security_opt", "stop_grace_period"):
        assert bots[0][same] == one[same]
    assert bots[0]["healthcheck"]["test"] == ["CMD", "parley", "health"]
    assert bots[0]["restart"] == scale["services"]["database"]["restart"] == "always"
    assert bots[0]["depends_on"]["database"]["condition"] == "service_healthy"
    secret = "${POSTGRES_PASSWORD:?set it in .env}"
    assert bots[0]["environment"]["PARLEY_DATABASE"] == f"postgresql://parley:{secret}@database/parley"
    assert scale["services"]["database"]["environment"]["POSTGRES_PASSWORD"] == secret
    (volume,) = scale["services"]["database"]["volumes"]
    assert volume.partition(":")[0] in scale["volumes"]


def test_attack_35_both_stages_of_the_image_stand_on_one_base_that_can_be_given_by_digest() -> None:
    image = (ROOT / "Dockerfile").read_text("utf-8")
    assert re.findall(r"^FROM (\S+)", image, re.MULTILINE) == ["${BASE}", "${BASE}"]
    assert image.index("ARG BASE=") < image.index("FROM ${BASE}")
    args = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]["parley"]["build"]["args"]
    (default,) = re.findall(r"^ARG BASE=(\S+)", image, re.MULTILINE)
    assert args == {"BASE": f"${{BASE:-{default}}}"}
    assert f"BASE ?= {default}\n" in (ROOT / "Makefile").read_text("utf-8")


# What a package of another name is imported as.
IMPORTED = {"python_dotenv": "dotenv", "pyyaml": "yaml", "pillow": "PIL"}
NIGHTLY = ROOT / ".ci" / "supply"
FORGE = """
sbom:
	@mkdir -p dist && echo '{{}}' > dist/parley.cdx.json
audit:
	@exit {status}
"""


@pytest.mark.parametrize("status", [0, FOUND, NOT_AUDITED])
def test_what_a_forge_runs_apart_leaves_the_bill_of_materials_and_fails_with_the_audit(
    tmp_path: Path, status: int
) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(NIGHTLY, tmp_path / ".ci")
    (tmp_path / "Makefile").write_text(FORGE.format(status=status), "utf-8")
    done = subprocess.run([tmp_path / ".ci" / "supply"], capture_output=True, check=False)
    assert (done.returncode == 0) is (status == 0)
    assert (tmp_path / "dist" / "parley.cdx.json").read_text("utf-8") == "{}\n"


def test_what_a_forge_runs_is_executable_and_calls_what_there_is() -> None:
    made = set(re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    called = {}
    for script in (ROOT / ".ci").iterdir():
        assert os.access(script, os.X_OK), script
        called[script.name] = set(re.findall(r"^make ([\w-]+)", script.read_text("utf-8"), re.MULTILINE))
        assert called[script.name] <= made, script
    assert called["supply"] == {"sbom", "audit"}
    assert not called["run"] & called["supply"], "what every change has to pass needs nobody outside"


def test_the_bill_of_materials_is_valid_and_names_everything_that_runs() -> None:
    text = sbom()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    named = {component["name"]: component for component in json.loads(text)["components"]}
    assert {p.name: p.version for p in locked(LOCKS[0])} == {n: c["version"] for n, c in named.items()}
    assert named["openai"]["purl"].startswith("pkg:pypi/openai@")
    assert named["openai"]["hashes"]


AUDITED = {"name": "aiohttp", "version": "3.14.5", "vulns": []}
HOLE = {"id": "PYSEC-1", "fix_versions": ["3.14.6"], "aliases": [], "description": ""}
SKIPPED = {"name": "openai", "skip_reason": "Dependency not found on PyPI and could not be audited"}


@pytest.mark.parametrize(
    ("packages", "status", "said"),
    [
        ([AUDITED], 0, "1 packages, no known advisory"),
        ([AUDITED, SKIPPED], NOT_AUDITED, "1 of 2 packages were NOT audited"),
        ([], NOT_AUDITED, "NOT audited"),
        ([AUDITED | {"vulns": [HOLE]}, SKIPPED], FOUND, "PYSEC-1, mended in ['3.14.6']"),
    ],
)
def test_an_audit_that_could_not_look_does_not_pass(packages: list[object], status: int, said: str) -> None:
    found, explanation = verdict("requirements.lock", {"dependencies": packages})
    assert found == status
    assert said in explanation


# No secret is tracked. What tests make up says so in one of these.
TOYS = re.compile(
    r"rehearsal|secret|wrong|\.example|T00000000|password@|My0x|Mi0y|REDACTED|x:y@|upload/v1/|1234567890|/actions/T/"
)
NEVER = re.compile(r"(^|/)\.env$|\.(pem|key|p12|db|sqlite)$|(^|/)id_(rsa|ed25519)")


def tracked() -> list[Path]:
    """Every file of the repository; of an unpacked copy, what lies in it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\0")
    if any(listed):
        return [ROOT / name for name in listed if name and (ROOT / name).is_file()]
    return [p for p in ROOT.rglob("*") if p.is_file() and not any(part.startswith(".") for part in p.parts)]


def test_no_secret_is_tracked() -> None:
    found = []
    for path in tracked():
        assert not NEVER.search(path.as_posix()), path
        try:
            words = path.read_text("utf-8").split()
        except UnicodeDecodeError:
            continue
        found += [(path.name, word) for word in words if redact(word) != word and not TOYS.search(word)]
    assert found == []


def test_the_filter_would_find_one() -> None:
    key = "sk" + "-proj-" + "a1B2c3D4e5F6g7H8i9J0k1L2"
    assert redact(key) != key
    assert not TOYS.search(key)
