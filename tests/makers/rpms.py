"""Real packages made by rpmbuild, many in one call, and real repositories of them.

Payloads are random (they do not compress) and depend on seed and number alone, and every date is fixed: the same
arguments give the same bytes. Packages that lie in the cache are not built again.
"""

import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import createrepo_c

EPOCH = 1_700_000_000
"""Every date in packages and metadata: seconds since 1970."""

_PIECE = 1 << 24
_ONE_CALL_PACKAGES = 250
_ONE_CALL_BYTES = 128 << 20

_SPEC_HEAD = """\
%global debug_package %{{nil}}
%global _build_id_links none
%global __os_install_post %{{nil}}
%global _binary_payload w0.ufdio
%global use_source_date_epoch_as_buildtime 1
%global clamp_mtime_to_source_date_epoch 1
%global _buildhost builder.invalid
Name: {prefix}-source
Version: 1
Release: 1
Summary: The source of the packages below
License: MIT
BuildArch: noarch
AutoReqProv: no
%description
Not built itself.
%install
mkdir -p %{{buildroot}}
cp -al {payload}/. %{{buildroot}}/
"""

_SPEC_PACKAGE = """\
%package -n {name}
Summary: Package number {number}
Epoch: {epoch}
Version: {version}
Release: {release}
AutoReqProv: no
Provides: {prefix}-feature = {number}
{requires}
%description -n {name}
Package number {number}; it holds random bytes.
%files -n {name}
%defattr(-,root,root,-)
/usr/share/{name}
"""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What one package is to be; everything follows from number, size and seed."""

    number: int
    size: int
    """Bytes of random payload."""
    seed: int = 1

    @property
    def prefix(self) -> str:
        return f"sample{self.seed}"

    @property
    def name(self) -> str:
        return f"{self.prefix}-{self.number:06d}"

    @property
    def epoch(self) -> int:
        return 1 if self.number % 10 == 3 else 0

    @property
    def version(self) -> str:
        return f"1.{self.number % 7}"

    @property
    def release(self) -> str:
        return f"{self.number % 3 + 1}.el9"

    @property
    def filename(self) -> str:
        return f"{self.name}-{self.version}-{self.release}.noarch.rpm"

    @property
    def requires(self) -> str:
        """One package in ten needs nothing; the others need that one."""
        first = self.number - self.number % 10
        return "" if first == self.number else f"Requires: {self.prefix}-{first:06d}"


@dataclass(frozen=True, slots=True)
class Extra:
    """A file of repodata besides the package lists, such as modules or productid."""

    type: str
    """Its type in repomd.xml."""
    name: str
    content: bytes
    compressed: bool = True
    """Compressed like the package lists, or laid down as it is."""


def rpmbuild_is_missing() -> bool:
    """Say whether packages cannot be made here."""
    return shutil.which("rpmbuild") is None


def build_packages(cache: Path, *, count: int, size: int, seed: int = 1, processes: int = 2) -> list[Path]:
    """Give `count` packages with `size` bytes of payload each, made in `cache` as far as it lacks them."""
    home = cache / f"seed-{seed}-size-{size}"
    home.mkdir(parents=True, exist_ok=True)
    recipes = [Recipe(number, size, seed) for number in range(count)]
    lacking = [recipe for recipe in recipes if not (home / recipe.filename).exists()]
    step = max(1, min(_ONE_CALL_PACKAGES, _ONE_CALL_BYTES // max(size, 1), -(-len(lacking) // processes)))
    calls = [lacking[start : start + step] for start in range(0, len(lacking), step)]
    with ThreadPoolExecutor(processes) as pool:  # threads that wait for rpmbuild, which is the process at work
        for _ in pool.map(lambda call: _build(home, call), calls):
            pass
    return [home / recipe.filename for recipe in recipes]


def _build(home: Path, recipes: Sequence[Recipe]) -> None:
    with tempfile.TemporaryDirectory(prefix=".build-", dir=home) as name:
        work = Path(name)
        payload, output = work / "payload", work / "output"
        for recipe in recipes:
            _write_payload(payload / "usr/share" / recipe.name, recipe)
        spec = work / "sample.spec"
        parts = [_SPEC_HEAD.format(prefix=recipes[0].prefix, payload=payload), *map(_describe, recipes)]
        spec.write_text("".join(parts))
        definitions = {
            "_topdir": work / "top",
            "_tmppath": work,
            "_rpmdir": output,
            "_dbpath": work / "database",
            "_rpmfilename": "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
        }
        options = [word for key, value in definitions.items() for word in ("--define", f"{key} {value}")]
        command = ["rpmbuild", "-bb", "--quiet", "--nodeps", *options, str(spec)]
        environment = os.environ | {"SOURCE_DATE_EPOCH": str(EPOCH), "LC_ALL": "C", "TZ": "UTC"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"rpmbuild failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
        for recipe in recipes:
            package = output / recipe.filename
            os.utime(package, (EPOCH, EPOCH))
            package.rename(home / package.name)


def _write_payload(directory: Path, recipe: Recipe) -> None:
    directory.mkdir(parents=True)
    source = random.Random(f"{recipe.seed}/{recipe.number}")
    with (directory / "data.bin").open("wb") as out:
        for left in range(recipe.size, 0, -_PIECE):
            out.write(source.randbytes(min(left, _PIECE)))
    (directory / "README").write_text(f"{recipe.name} {recipe.version}\n")
    for path in (directory / "data.bin", directory / "README", directory):
        os.utime(path, (EPOCH, EPOCH))


def _describe(recipe: Recipe) -> str:
    return _SPEC_PACKAGE.format(
        name=recipe.name,
        number=recipe.number,
        prefix=recipe.prefix,
        epoch=recipe.epoch,
        version=recipe.version,
        release=recipe.release,
        requires=recipe.requires,
    )


@dataclass(frozen=True, slots=True)
class Repository:
    """How to lay out the repository that `write_repository` makes."""

    root: Path
    packages: Sequence[Path]
    extras: Sequence[Extra] = field(default_factory=tuple)
    revision: str = str(EPOCH)


def make_repository(root: Path, cache: Path, *, count: int, size: int, seed: int = 1, processes: int = 2) -> Path:
    """Make a repository of generated packages with groups, advisories, modules and a productid; give its root."""
    packages = build_packages(cache, count=count, size=size, seed=seed, processes=processes)
    recipes = [Recipe(number, size, seed) for number in range(count)]
    extras = (
        Extra("group", "comps.xml", comps(recipes)),
        Extra("updateinfo", "updateinfo.xml", updateinfo(recipes)),
        Extra("modules", "modules.yaml", modules(recipes)),
        Extra(
            "productid",
            "productid",
            b"-----BEGIN CERTIFICATE-----\nc2FtcGxl\n-----END CERTIFICATE-----\n",
            compressed=False,
        ),
    )
    write_repository(Repository(root, packages, extras))
    return root


def write_repository(repository: Repository) -> None:
    """Lay packages (hard links where possible) and repodata below the repository's root, which must be new or empty."""
    home = repository.root / "Packages"
    home.mkdir(parents=True)
    for package in repository.packages:
        _link(package, home / package.name)
    writer = createrepo_c.RepositoryWriter(
        str(repository.root), num_packages=len(repository.packages), compression=createrepo_c.GZ_COMPRESSION
    )
    with writer:
        for package in repository.packages:
            found = createrepo_c.package_from_rpm(str(home / package.name), location_href=f"Packages/{package.name}")
            found.time_file = EPOCH
            writer.add_pkg(found)
        for extra in repository.extras:
            path = repository.root / extra.name
            path.write_bytes(extra.content)
            writer.add_repomd_metadata(extra.type, str(path), use_compression=extra.compressed)
            path.unlink()
    repomd = createrepo_c.Repomd()
    repomd.set_revision(repository.revision)
    for record in writer.repomd.records:
        record.timestamp = EPOCH  # instead of the time of day
        repomd.set_record(record)
    (repository.root / "repodata/repomd.xml").write_text(repomd.xml_dump())


def _link(source: Path, destination: Path) -> None:
    try:
        destination.hardlink_to(source)
    except OSError:  # another file system
        shutil.copy2(source, destination)


def comps(recipes: Sequence[Recipe]) -> bytes:
    """Give a comps file with one group that holds every package."""
    members = "".join(f"<packagereq type='default'>{recipe.name}</packagereq>" for recipe in recipes)
    return (
        "<?xml version='1.0' encoding='UTF-8'?>\n<comps><group><id>samples</id><name>Samples</name>"
        "<description>All samples</description><default>true</default><uservisible>true</uservisible>"
        f"<packagelist>{members}</packagelist></group></comps>\n"
    ).encode()


def updateinfo(recipes: Iterable[Recipe]) -> bytes:
    """Give advisories, one for every fifth package, each with a CVE."""
    document = createrepo_c.UpdateInfo()
    for recipe in recipes:
        if recipe.number % 5 == 0:
            document.append(_advisory(recipe))
    return bytes(document.xml_dump(), "utf-8")


def _advisory(recipe: Recipe) -> createrepo_c.UpdateRecord:
    record = createrepo_c.UpdateRecord()
    record.fromstr, record.status, record.version = "samples@samples.invalid", "final", "1"
    record.type = ("security", "bugfix", "enhancement")[recipe.number % 3]
    record.id, record.title = f"SAMPLE-2023:{recipe.number:06d}", f"An update of {recipe.name}"
    record.severity, record.summary, record.description = "Moderate", "A <summary> & more", "What it mends"
    record.issued_date = record.updated_date = EPOCH
    reference = createrepo_c.UpdateReference()
    reference.type, reference.id = "cve", f"CVE-2023-{recipe.number:06d}"
    reference.href = reference.title = f"https://cve.invalid/{reference.id}"
    record.append_reference(reference)
    package = createrepo_c.UpdateCollectionPackage()
    package.name, package.epoch, package.version = recipe.name, str(recipe.epoch), recipe.version
    package.release, package.arch, package.filename = recipe.release, "noarch", recipe.filename
    collection = createrepo_c.UpdateCollection()
    collection.shortname = collection.name = "samples"
    collection.append(package)
    record.append_collection(collection)
    return record


def modules(recipes: Sequence[Recipe]) -> bytes:
    """Give a module document that names no package of ours, so that dnf reads it and hides nothing."""
    return (
        "---\ndocument: modulemd\nversion: 2\ndata:\n  name: samples\n  stream: '1'\n  version: 1\n"
        "  context: 00000000\n  arch: noarch\n  summary: Samples\n"
        f"  description: A stream beside {len(recipes)} packages\n  license:\n    module: [MIT]\n...\n"
    ).encode()
