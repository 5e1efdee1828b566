"""Rules of the house that no other tool checks."""

import ast
import re
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LONGEST_MODULE = 350
"""Most are 60 to 250 lines; one that grows towards this has more than one job."""

_MACHINE = re.compile(rb"/(?:work|farm)/|/tmp/bash_[j]obs")
_REGISTRY = re.compile(rb"pypi\.org|pythonhosted\.org|deb\.debian\.org|registry\.npmjs|proxy\.golang")


def project_files() -> list[Path]:
    """Give the files that are, or would be, in the repository."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("this is no git work tree, so nobody can say which files belong to the project")
    return [path for path in (ROOT / name for name in listed.stdout.split("\0") if name) if path.is_file()]


def commands(script: str) -> list[str]:
    """Give the lines of a script that do something."""
    lines = (line.strip() for line in script.splitlines())
    return [line for line in lines if line and not line.startswith(("#", "set ", "cd ", "echo "))]


def test_ci_runs_the_checks_and_the_test_command_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    section = readme.split("\n## Tests\n", 1)[1].split("\n## ", 1)[0]
    shown = re.findall(r"^ {4}(make test)$", section, re.MULTILINE)
    assert shown == ["make test"]
    assert commands((ROOT / ".ci/run").read_text()) == ["make check", *shown]


def test_no_file_names_this_machine_or_a_registry() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group().decode()}"
        for path in project_files()
        for pattern in (_MACHINE, _REGISTRY)
        if (match := pattern.search(path.read_bytes()))
    ]
    assert found == []


def test_modules_are_rooms_with_one_job() -> None:
    modules = [path for path in project_files() if path.suffix == ".py"]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in modules}
    rooms = {name: length for name, length in lengths.items() if name.startswith("issbox/")}
    assert {name: length for name, length in rooms.items() if length > LONGEST_MODULE} == {}
    assert {"utils.py", "helpers.py", "common.py", "manager.py"}.isdisjoint(path.name for path in modules)


def test_every_test_file_has_a_name_of_its_own() -> None:
    """Two of one name cannot be collected together."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []


def requirements() -> list[str]:
    """Give everything that pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"].values()
    lists = [project["project"]["dependencies"], *extras, *project["dependency-groups"].values()]
    return [requirement for each in lists for requirement in each]


def test_every_dependency_is_pinned_without_an_address() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9A-Za-z.+-]*", line) for line in lines)
    pinned = {canonical(line.split("==")[0]) for line in lines}
    assert {canonical(re.split(r"[\[<>=!~ ]", wanted)[0]) for wanted in requirements()} <= pinned


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("name", ["packaging/make-environment", "packaging/install-debian-packages", ".ci/run"])
def test_scripts_are_shell(name: str) -> None:
    script = ROOT / name
    shell = script.read_text().splitlines()[0].split("/")[-1].removeprefix("env ")
    subprocess.run([shell, "-n", str(script)], check=True)


def test_the_makefile_has_what_the_readme_names() -> None:
    named = set(re.findall(r"`make ([a-z-]+)`|^ {4}make ([a-z-]+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {one or other for one, other in named} <= targets


ALLOWED_BEFORE = {
    "boxes.initialize": "there is no box yet, so there are no users",
    "users.check_enters": "writes down who was kept out",
    "ssh_keys.refuse_remote": "writes down what was refused",
    "passwords.enter_by_password": "whoever comes in proves here who it is",
    "authority.open_authority": "makes the authority when the first certificate is issued, and whoever issues it asked",
    "registering.register_with_keys": "an activation key is what lets a host in, and is checked here",
    "importing.refuse": "writes down why an import, which asked, came to nothing",
    "imported_views.keep_view_version": "a step of an import, which asked",
    "promotion_parts.record_promotion": "the last step of a promotion or an import, which asked",
    "carried_environments.take_over": "a step of an import, which asked",
    "carried_environments.take_over_now": "a step of an import, which asked",
    "imported_views.take_back_view_version": "a step of a rollback, which asked",
    "arrival.record_import": "the last step of an import, which asked",
    "restoring.restore": "there is no box yet, so there are no users",
    "disposal.finish": "moves a bundle after its import, which asked",
    "disposal.finish_bundle": "moves a bundle after its import, which asked",
    "disposal.dispose": "moves a bundle after its import, which asked",
    "disposal.quarantine": "moves a bundle after its import, which asked",
    "jobs.create_job": "every kind of job asks in its own check",
    "disposal.heal": "finishes what a killed import left",
}
"""Public functions that change something without asking who may, and why that is right."""

ASKING = {"require", "require_some", "require_anywhere", "require_self_or_manager"}


def called(function: ast.FunctionDef) -> Iterator[str]:
    """Give the last word of every call in a function, and of every function that is passed on."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            named = node.func
            yield named.attr if isinstance(named, ast.Attribute) else getattr(named, "id", "")
            yield from (each.id for each in node.args if isinstance(each, ast.Name))


def reached(name: str, functions: dict[str, ast.FunctionDef], seen: set[str]) -> set[str]:
    """Give everything that a function of a module calls, through the module's other functions too."""
    words = set(called(functions[name]))
    for other in (words & functions.keys()) - seen:
        words |= reached(other, functions, seen | {other})
    return words


def changing_functions() -> dict[str, set[str]]:
    """Give the public functions of the workflows that write to the audit log, each with what it calls."""
    found = {}
    for path in sorted((ROOT / "issbox/workflows").rglob("*.py")):
        tree = ast.parse(path.read_text())
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        for name in functions:
            words = reached(name, functions, {name})
            if not name.startswith("_") and "audit" in words:
                found[f"{path.stem}.{name}"] = words
    return found


def test_every_use_case_that_changes_something_asks_whether_its_user_may() -> None:
    changing = changing_functions()
    assert {"catalog.create_product", "writing.export", "synchronize.synchronize", "inbox.retry"} <= changing.keys()
    asking = {name for name, words in changing.items() if words & ASKING}
    silent = changing.keys() - asking - ALLOWED_BEFORE.keys()
    assert silent == set(), "begin them with ctx.require(Permission..., organization, products)"
    assert ALLOWED_BEFORE.keys() <= changing.keys() - asking, "these need no exception any more"
