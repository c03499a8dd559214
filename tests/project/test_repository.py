"""What holds for the repository as a whole: its files, its requirements, its documents."""

import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

import rolewatch

ROOT = Path(__file__).resolve().parents[2]
# Spelled in pieces, so that this file does not name what it looks for.
HOSTS = [
    "files." + "pythonhosted.org", "pypi" + ".org", "registry." + "npmjs.org", "deb." + "debian.org", "archive." + "ubuntu.com",
    "proxy." + "golang.org", "repo1." + "maven.org", "repo.maven." + "apache.org", "conda." + "anaconda.org", "ghcr" + ".io",
]  # fmt: skip
PATHS = re.compile(rb"(?<![\w.])/(?:work|opt|root)/\w")
LONGEST = 400  # lines of a Python file; a subject that needs more is two subjects
UNLOCKED = re.compile(r"--(?:extra-)?index-url|--find-links|--trusted-host|file:|https?://")


def tracked() -> list[Path]:
    """Return the repository's files: what git lists, tracked or about to be; without git, all but what tools leave behind."""
    command = [
        "git",
        "-c",
        "safe.directory=*",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode == 0:
        names = [Path(name) for name in done.stdout.decode().split("\0") if name]
    else:
        left_behind = ("__pycache__", "site", "dist")
        names = [
            name
            for name in (path.relative_to(ROOT) for path in ROOT.rglob("*"))
            if not any(part in left_behind or (part.startswith(".") and part != ".ci") for part in name.parts)
        ]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def those_with(pattern: re.Pattern[bytes]) -> list[str]:
    """Return the tracked files in which `pattern` occurs, with what was found."""
    found = ((path, pattern.search(path.read_bytes())) for path in tracked())
    return [f"{path.relative_to(ROOT)}: {match[0]!r}" for path, match in found if match]


def targets() -> set[str]:
    """Return the targets of the Makefile."""
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_no_registry_host_is_named():
    """No file names a package registry: where packages come from is the machine's business."""
    assert those_with(re.compile("|".join(map(re.escape, HOSTS)).encode())) == []


def test_no_absolute_path_of_a_workplace():
    """No file holds a path of the machine on which it was written."""
    assert those_with(PATHS) == []


def test_modules_of_tests_have_different_names():
    """Test folders are no packages: two files of one name would be one module."""
    names = Counter(
        path.name for path in tracked() if path.match("tests/**/*.py") and path.name != "conftest.py"
    )
    assert [name for name, number in names.items() if number > 1] == []


def test_python_files_read_in_one_sitting():
    """No Python file is longer than 400 lines."""
    lines = {
        path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines())
        for path in tracked()
        if path.suffix == ".py"
    }
    assert {name: count for name, count in lines.items() if count > LONGEST} == {}


@pytest.mark.parametrize(
    "name", ["requirements.lock", "requirements-dev.lock", "benchmarks/requirements.lock"]
)
def test_requirements_are_pinned_with_hashes(name):
    """Each requirement of a lock file has one exact version and at least one hash, and no line says where from."""
    text = (ROOT / name).read_text()
    pins = re.findall(
        r"^[a-z0-9][\w.\-\[\]]*==\S+(?: ; [^\\]+)? \\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+",
        text,
        re.MULTILINE,
    )
    rest = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(pins) == len(rest)
    assert UNLOCKED.findall(text) == []


def test_core_lock_covers_the_dependencies():
    """Every dependency that pyproject.toml names is pinned in requirements.lock, and in the development lock likewise."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    core = {re.match(r"[\w-]+", line)[0] for line in project["dependencies"]}
    aws = {re.match(r"[\w-]+", line)[0] for line in project["optional-dependencies"]["aws"]}

    def pins(name):
        return dict(re.findall(r"^([a-z0-9][\w.-]*)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))

    assert core - pins("requirements.lock").keys() == set()
    assert core | aws <= pins("requirements-dev.lock").keys()
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "docs/getting-started.md", "examples/README.md", ".ci/run"]
)
def test_documented_make_targets_exist(name):
    """Each `make …` that a document tells the reader to type is a target of the Makefile."""
    text = (ROOT / name).read_text()
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE)) - targets() == set()


def test_readme_has_the_two_commands():
    """The README shows the demo and the tests as the two commands to start with."""
    assert {"demo", "test"} <= set(
        re.findall(r"^make ([a-z]+)", (ROOT / "README.md").read_text(), re.MULTILINE)
    )


def test_changelog_has_the_version():
    """The version of the package is the newest section of the changelog, and that of pyproject.toml."""
    newest = re.search(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert [newest and newest[1], project["version"]] == [rolewatch.__version__] * 2


def test_rooms_are_all_in_the_contract():
    """Every package under src/rolewatch has its place in the import contract and in the description of the rooms."""
    rooms = {path.parent.name for path in (ROOT / "src" / "rolewatch").glob("*/__init__.py")}
    contract = set(re.findall(r"^    \(?([a-z]+)\)?$", (ROOT / ".importlinter").read_text(), re.MULTILINE))
    described = set(
        re.findall(r"^\| `([a-z]+)/`", (ROOT / "docs" / "architecture.md").read_text(), re.MULTILINE)
    )
    assert (rooms - contract, rooms - described) == (set(), set())


def test_catalogue_page_counts_the_rows():
    """The numbers of rows that docs/catalog.md gives for kinds of resources and request parameters are those of the tables."""
    data = ROOT / "src" / "rolewatch" / "catalog" / "data"
    kinds = json.loads((data / "naming_kinds.json").read_text())
    requests = json.loads((data / "naming_requests.json").read_text())["rows"]
    page = (ROOT / "docs" / "catalog.md").read_text()
    assert re.findall(r"\| (\d+): .*\((\d+) have one\)", page) == [
        (str(len(kinds)), str(sum(bool(policy) for _, _, policy in kinds)))
    ]
    assert re.findall(r"\| (\d+) of (\d+) event sources", page) == [
        (str(len(requests)), str(len({source for source, *_ in requests})))
    ]


def test_links_between_documents_lead_somewhere():
    """Each relative link in a Markdown file points to a file that exists."""
    links = [
        (path, target)
        for path in tracked()
        if path.suffix == ".md"
        for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)", path.read_text())
    ]
    broken = [
        f"{path.relative_to(ROOT)}: {target}" for path, target in links if not (path.parent / target).exists()
    ]
    assert broken == []


def test_pictures_of_the_readme_are_there_and_described():
    """Each picture that the README embeds as HTML exists, and is described for those who cannot see it."""
    text = (ROOT / "README.md").read_text()
    pictures = re.findall(r'\b(?:src|srcset)="([^"]+)"', text)
    assert [name for name in pictures if not (ROOT / name).is_file()] == []
    assert len(re.findall(r"<img\b", text)) == len(re.findall(r'<img\b[^>]* alt="[^"]{20,}"', text)) == 2


def test_pictures_are_small():
    """No picture is larger than 250 KB, so that the pages stay quick to load."""
    sizes = {path.name: path.stat().st_size for path in (ROOT / "docs" / "images").iterdir()}
    assert {name: size for name, size in sizes.items() if size > 250_000} == {}


@pytest.mark.slow
def test_documentation_builds(tmp_path):
    """The documentation builds without a warning: every page is in the navigation and every link resolves."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, (tmp_path / "index.html").exists()) == (0, True), done.stderr


def test_no_page_loads_from_a_foreign_host():
    """The documentation's settings switch off the theme's web fonts."""
    assert re.search(r"^  font: false$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)


def test_ci_script_parses():
    """The CI script is valid bash."""
    assert subprocess.run(["bash", "-n", str(ROOT / ".ci" / "run")], check=False).returncode == 0
