"""Build the source archive and the wheel as a release would, and check that the wheel alone makes a working box."""

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Leave with a message when a file is missing from the wheel or the box it makes does not work."""
    with tempfile.TemporaryDirectory(prefix="issbox-wheel-") as name:
        scratch = Path(name)
        wheel = build(scratch / "dist")
        check_contents(wheel)
        check_box(wheel, scratch)
    print(f"{wheel.name}: complete, and a box made with it works")


def build(output: Path) -> Path:
    """Give the wheel, built from the source archive and not from the tree, so that the archive is proved too."""
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(output), str(ROOT)])
    (wheel,) = output.glob("*.whl")
    return wheel


def check_contents(wheel: Path) -> None:
    """Every module is in the wheel (migrations are found by listing files, so a lost one fails late), and no other."""
    modules = (path for path in (ROOT / "issbox").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    wanted = {str(path.relative_to(ROOT)) for path in modules}
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    if wanted != packed:
        sys.exit(f"the wheel lacks {sorted(wanted - packed)} and has {sorted(packed - wanted)} beyond the tree")


def check_box(wheel: Path, scratch: Path) -> None:
    """Install the wheel beside the tree and make a box with it; the libraries are those of this environment."""
    target = scratch / "site"
    run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel)])
    environment = os.environ | {"PYTHONPATH": str(target), "ISSBOX_STATE_DIR": str(scratch / "state")}
    where = run([sys.executable, "-P", "-c", "import issbox; print(issbox.__file__)"], environment, scratch)
    if not where.startswith(str(target)):
        sys.exit(f"the wheel was not what was imported, but {where}")
    for words in (["init", "--name", "wheel", "--organization", "Default"], ["box", "show"], ["status"]):
        run([sys.executable, "-P", str(target / "bin" / "issbox"), *words], environment, scratch)


def run(command: list[str], environment: dict[str, str] | None = None, directory: Path | None = None) -> str:
    """Give what the command prints, or leave with it when the command fails."""
    done = subprocess.run(command, env=environment, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
