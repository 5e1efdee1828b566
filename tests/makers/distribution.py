"""A yum repository with everything that Pulp keeps rows of: advisories, groups, modules, productid, a kickstart tree.

It is made of real packages and lies in the places where vendors have such things.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import createrepo_c

from makers.boxes import PACKAGES
from makers.rpms import EPOCH, Extra, write_repository
from makers.rpms import Repository as Layout

PRODUCTID = b"-----BEGIN CERTIFICATE-----\nc2FtcGxl\n-----END CERTIFICATE-----\n"

COMPS = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">
<comps>
  <group>
    <id>travel</id>
    <name>Travel</name>
    <name xml:lang="de">Reisen</name>
    <description>For people who travel &amp; more</description>
    <description xml:lang="de">F\u00fcr Reisende</description>
    <default>true</default>
    <uservisible>false</uservisible>
    <display_order>7</display_order>
    <langonly>de</langonly>
    <packagelist>
      <packagereq type="mandatory">gap-traveller</packagereq>
      <packagereq type="default" basearchonly="true">gap-greeting</packagereq>
      <packagereq type="conditional" requires="gap-greeting">gap-almanac</packagereq>
      <packagereq type="optional">gap-absent</packagereq>
    </packagelist>
  </group>
  <group>
    <id>words</id>
    <name>Words</name>
    <description></description>
    <default>false</default>
    <uservisible>true</uservisible>
    <packagelist>
      <packagereq type="default">gap-greeting</packagereq>
    </packagelist>
  </group>
  <category>
    <id>leisure</id>
    <name>Leisure</name>
    <name xml:lang="de">Freizeit</name>
    <description>Not work</description>
    <display_order>3</display_order>
    <grouplist>
      <groupid>travel</groupid>
      <groupid>words</groupid>
    </grouplist>
  </category>
  <environment>
    <id>holiday-environment</id>
    <name>Holiday</name>
    <description>Everything for a holiday</description>
    <display_order>2</display_order>
    <grouplist>
      <groupid>travel</groupid>
    </grouplist>
    <optionlist>
      <groupid default="true">words</groupid>
      <groupid>travel</groupid>
    </optionlist>
  </environment>
  <langpacks>
    <match install="gap-greeting-%s" name="gap-greeting"/>
    <match install="gap-words-%s" name="gap-words"/>
  </langpacks>
</comps>
"""

MODULES = """---
document: modulemd
version: 2
data:
  name: gap
  stream: "1.0"
  version: 820260101000000
  context: deadbeef
  arch: noarch
  summary: Things for the gap
  description: >-
    A stream that holds one package of the repository.
  license:
    module:
    - MIT
    content:
    - MIT
  dependencies:
  - requires:
      platform: [el9]
  profiles:
    default:
      rpms:
      - gap-almanac
  api:
    rpms:
    - gap-almanac
  artifacts:
    rpms:
    - gap-almanac-0:2026.1-3.noarch
...
---
document: modulemd-defaults
version: 1
data:
  module: gap
  stream: "1.0"
  profiles:
    "1.0": [default]
...
"""


def advisories(count: int = 2) -> bytes:
    """Give advisories with all that one can say, of packages that are in the repository and one that is not."""
    document = createrepo_c.UpdateInfo()
    for number in range(1, count + 1):
        document.append(_advisory(number))
    return bytes(document.xml_dump(), "utf-8")


def _advisory(number: int) -> createrepo_c.UpdateRecord:
    record = createrepo_c.UpdateRecord()
    record.fromstr, record.status, record.version = "gap@example.invalid", "final", str(number)
    record.type = ("security", "bugfix")[number % 2]
    record.id, record.title = f"GAP-2026:{number:04d}", f"A <mended> gap & {number}"
    record.severity, record.summary = "Important", "What was wrong"
    record.description, record.solution = "Line one\nLine \u201ctwo\u201d", "Update"
    record.rights, record.release, record.pushcount = "Copyright nobody", "0", "3"
    record.issued_date, record.updated_date = EPOCH, EPOCH + 86400 * number
    record.reboot_suggested = number % 2 == 0
    for kind, name in (("cve", f"CVE-2026-{number:04d}"), ("bugzilla", str(1000 + number))):
        reference = createrepo_c.UpdateReference()
        reference.type, reference.id, reference.title = kind, name, f"{name} & title"
        reference.href = f"https://example.invalid/{kind}?id={name}&x=1"
        record.append_reference(reference)
    for index in range(number):
        record.append_collection(_collection(number, index))
    return record


def _collection(number: int, index: int) -> createrepo_c.UpdateCollection:
    collection = createrepo_c.UpdateCollection()
    collection.shortname, collection.name = f"gap-{index}", f"Gap {number} part {index}"
    if index == 1:
        module = createrepo_c.UpdateCollectionModule()
        module.name, module.stream, module.version = "gap", "1.0", 820260101000000
        module.context, module.arch = "deadbeef", "noarch"
        collection.module = module
    package = createrepo_c.UpdateCollectionPackage()
    package.name, package.epoch, package.arch = ("gap-almanac", "gap-greeting")[index % 2], "0", "noarch"
    package.version, package.release = ("2026.1", "1.0")[index % 2], ("3", "1")[index % 2]
    package.filename = f"{package.name}-{package.version}-{package.release}.noarch.rpm"
    package.src = f"{package.name}-{package.version}-{package.release}.src.rpm"
    package.sum, package.sum_type = sha256(package.filename.encode()).hexdigest(), createrepo_c.SHA256
    package.reboot_suggested = number == 2
    collection.append(package)
    return collection


@dataclass(frozen=True, slots=True)
class Distribution:
    """What the repository is to hold."""

    packages: Sequence[Path] = tuple(PACKAGES)
    kickstart: bool = False
    """Whether it is a kickstart tree, with one more repository inside."""
    advisories: int = 2
    revision: str = str(EPOCH)


def write_distribution(root: Path, wanted: Distribution = Distribution()) -> Path:
    """Write the repository below root, which must be new, and give root."""
    packages = list(wanted.packages)
    extras = (
        Extra("group", "comps.xml", COMPS.encode()),
        Extra("updateinfo", "updateinfo.xml", advisories(wanted.advisories)),
        Extra("modules", "modules.yaml", MODULES.encode()),
        Extra("productid", "productid", PRODUCTID, compressed=False),
    )
    write_repository(Layout(root, packages[:-1] if wanted.kickstart else packages, extras, wanted.revision))
    if wanted.kickstart:
        write_repository(Layout(root / "Extras", packages[-1:], (), wanted.revision))
        _write_tree(root)
    return root


def _write_tree(root: Path) -> None:
    images = {
        "images/pxeboot/vmlinuz": b"kernel" * 100,
        "images/pxeboot/initrd.img": b"ramdisk" * 100,
        "images/install.img": b"installer" * 100,
    }
    sums = []
    for path, content in images.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        sums.append(f"{path} = sha256:{sha256(content).hexdigest()}")
    repomd = sha256((root / "repodata/repomd.xml").read_bytes()).hexdigest()
    sums.append(f"repodata/repomd.xml = sha256:{repomd}")
    (root / ".treeinfo").write_text(_TREEINFO.format(sums="\n".join(sums)))


_TREEINFO = """\
[checksums]
{sums}

[general]
arch = noarch
family = Gap Linux
name = Gap Linux 9.2
packagedir =
platforms = noarch
repository = .
timestamp = 1700000000
variant = Main
variants = Main,Extras
version = 9.2

[header]
type = productmd.treeinfo
version = 1.2

[images-noarch]
initrd = images/pxeboot/initrd.img
kernel = images/pxeboot/vmlinuz

[release]
name = Gap Linux
short = GL
version = 9.2

[stage2]
mainimage = images/install.img

[tree]
arch = noarch
build_timestamp = 1700000000
platforms = noarch
variants = Main,Extras

[variant-Main]
id = Main
name = Main
packages = Packages
repository = .
type = variant
uid = Main

[variant-Extras]
id = Extras
name = Extras
packages = Extras/Packages
repository = Extras
type = variant
uid = Extras
"""
