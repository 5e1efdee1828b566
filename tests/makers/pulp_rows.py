"""The rows that Pulp exports of a yum repository, with the fields and the spelling of pulp_rpm 3.39.

`tests/bundle/test_pulp_rows.py` compares their shape with an archive that a real Pulp wrote.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree

import createrepo_c

Row = dict[str, Any]

DOMAIN = "5c4c0c66-6825-43ce-b95c-9092ec87cf1b"
_MEMBERS = {"default": 0, "optional": 1, "conditional": 2, "mandatory": 3}


@dataclass
class Rows:
    """The rows of one repository version, and the files they refer to."""

    name: str
    resources: dict[str, list[Row]] = field(default_factory=dict)
    """By the name of the resource, in the order of the archive."""
    artifacts: dict[str, bytes] = field(default_factory=dict)
    """By SHA-256."""
    mapping: dict[str, list[str]] = field(default_factory=dict)

    def add(self, resource: str, row: Row) -> None:
        self.resources.setdefault(resource, []).append(row)

    def link(self, content: str, path: str, data: bytes) -> None:
        """Tie content to a file."""
        digest = sha256(data).hexdigest()
        self.artifacts[digest] = data
        self.add("ContentArtifactResource", {"artifact": digest, "content": content, "relative_path": path})


def text(value: object) -> str:
    """Spell a value as django-import-export does."""
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, bool) else str(value)


def inner(value: object) -> str | None:
    """Spell what has structure."""
    return json.dumps(value) if value else None


def identity(*words: str) -> str:
    return str(uuid5(NAMESPACE_URL, "/".join(words)))


def read_repository(name: str, root: Path) -> Rows:
    """Give the rows of a repository that `makers.distribution` wrote."""
    rows = Rows(name)
    rows.add("RpmRepositoryResource", {"pulp_type": "rpm.rpm", "name": name, "description": ""})
    own = [*_packages(rows, root), *_modules(rows, root), *_comps(rows, root), *_advisories(rows, root)]
    own += _extras(rows, root)
    if (root / ".treeinfo").exists():
        own.append(_tree(rows, root))
    rows.mapping[name] = own
    rows.resources.setdefault("DistributionTreeRepositoryResource", [])
    return rows


def _content(kind: str, upstream_id: str, **fields: object) -> Row:
    head = {"pulp_type": f"rpm.{kind}", "upstream_id": upstream_id, "pulp_domain": DOMAIN}
    return {**head, **fields, "_pulp_domain": DOMAIN}


def _metadata(root: Path, kind: str) -> bytes:
    repomd = createrepo_c.Repomd(str(root / "repodata/repomd.xml"))
    for record in repomd.records:
        if record.type == kind:
            path = root / record.location_href
            return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return b""


def _packages(rows: Rows, root: Path) -> Iterator[str]:
    for path in sorted((root / "Packages").rglob("*.rpm")):
        yield _package(rows, path)


def _package(rows: Rows, path: Path) -> str:
    found = createrepo_c.package_from_rpm(str(path), location_href=path.name)
    upstream_id = identity("package", found.pkgId)
    fields: Row = {
        "name": found.name,
        "epoch": found.epoch or "0",
        "version": found.version,
        "release": found.release,
        "arch": found.arch,
        "evr": "",
        "pkgId": found.pkgId,
        "checksum_type": "sha256",
        "summary": text(found.summary),
        "description": text(found.description),
        "url": text(found.url),
        "changelogs": inner([list(entry) for entry in found.changelogs]),
        "files": inner([[kind or None, *rest] for kind, *rest in (entry[:3] for entry in found.files)]),
    }
    for kind in ("requires", "provides", "conflicts", "obsoletes", "suggests", "enhances", "recommends", "supplements"):
        fields[kind] = inner([list(entry) for entry in getattr(found, kind)])
    fields |= {"location_base": "", "location_href": path.name}
    for kind in ("buildhost", "group", "license", "packager", "sourcerpm", "vendor", "header_start", "header_end"):
        fields[f"rpm_{kind}"] = text(getattr(found, f"rpm_{kind}"))
    for kind in ("size_archive", "size_installed", "size_package", "time_build"):
        fields[kind] = text(getattr(found, kind))
    fields |= {"time_file": "1700000000", "is_modular": "0", "signing_keys": ""}
    rows.add("PackageResource", _content("package", upstream_id, **fields))
    rows.link(upstream_id, path.name, path.read_bytes())
    return upstream_id


def _modules(rows: Rows, root: Path) -> Iterator[str]:
    for part in _metadata(root, "modules").decode().split("---\n")[1:]:
        snippet = f"---\n{part}".rstrip()
        digest = sha256(snippet.encode()).hexdigest()
        upstream_id = identity("module", digest)
        if "document: modulemd-defaults" in snippet:
            fields = {"module": "gap", "stream": "1.0", "profiles": '{"1.0": ["default"]}'}
            row = _content("modulemd_defaults", upstream_id, **fields, digest=digest, snippet=snippet)
            rows.add("ModulemdDefaultsResource", row)
        else:
            fields = {"name": "gap", "stream": "1.0", "version": "820260101000000", "context": "deadbeef"}
            fields |= {"arch": "noarch", "static_context": "", "dependencies": "[]", "artifacts": "[]"}
            fields |= {"package_ids": "", "profiles": "{}", "description": "", "digest": digest, "snippet": snippet}
            rows.add("ModulemdResource", _content("modulemd", upstream_id, **fields))
        yield upstream_id


def _comps(rows: Rows, root: Path) -> Iterator[str]:
    data = _metadata(root, "group")
    if not data:
        return
    document = ElementTree.fromstring(data.decode().split("]>")[-1])
    for group in document.iter("group"):
        fields = _named(group) | {
            "default": text(group.findtext("default") == "true"),
            "user_visible": text(group.findtext("uservisible") == "true"),
            "packages": inner([_member(each) for each in group.iter("packagereq")]),
            "biarch_only": "0",
        }
        yield _group(rows, "PackageGroupResource", "packagegroup", fields)
    for category in document.iter("category"):
        groups = [{"name": each.text, "default": False} for each in category.iter("groupid")]
        yield _group(
            rows, "PackageCategoryResource", "packagecategory", _named(category) | {"group_ids": inner(groups)}
        )
    for environment in document.iter("environment"):
        fields = _named(environment)
        for tag, name in (("grouplist", "group_ids"), ("optionlist", "option_ids")):
            found = environment.find(tag)
            options = [] if found is None else found.findall("groupid")
            fields[name] = inner([{"name": each.text, "default": each.get("default") == "true"} for each in options])
        yield _group(rows, "PackageEnvironmentResource", "packageenvironment", fields)
    matches = {str(each.get("name")): each.get("install") for each in document.iter("match")}
    if matches:
        upstream_id = identity("langpacks", json.dumps(matches))
        row = _content("packagelangpacks", upstream_id, matches=json.dumps(matches), digest="0" * 64)
        rows.add("PackageLangpacksResource", row)
        yield upstream_id


def _group(rows: Rows, resource: str, kind: str, fields: Row) -> str:
    upstream_id = identity(kind, str(fields["id"]))
    rows.add(resource, _content(kind, upstream_id, **fields, digest="0" * 64))
    return upstream_id


def _named(element: ElementTree.Element) -> Row:
    language = "{http://www.w3.org/XML/1998/namespace}lang"
    translated = {
        tag: {str(each.get(language)): each.text for each in element.findall(tag) if each.get(language)}
        for tag in ("name", "description")
    }
    return {
        "id": element.findtext("id"),
        "name": element.findtext("name"),
        "description": text(element.findtext("description")),
        "display_order": text(element.findtext("display_order")),
        "desc_by_lang": inner(translated["description"]),
        "name_by_lang": inner(translated["name"]),
    }


def _member(element: ElementTree.Element) -> Row:
    return {
        "name": element.text,
        "type": _MEMBERS[element.get("type", "default")],
        "requires": element.get("requires"),
        "basearchonly": True if element.get("basearchonly") == "true" else None,
    }


def _extras(rows: Rows, root: Path) -> list[str]:
    data = _metadata(root, "productid")
    if not data:
        return []
    digest = sha256(data).hexdigest()
    path, upstream_id = f"repodata/{digest}-productid", identity("productid", digest)
    fields = {"data_type": "productid", "checksum_type": "sha256", "checksum": digest, "relative_path": path}
    rows.add("RepoMetadataFileResource", _content("repo_metadata_file", upstream_id, **fields))
    rows.link(upstream_id, path, data)
    return [upstream_id]


def _advisories(rows: Rows, root: Path) -> Iterator[str]:
    data = _metadata(root, "updateinfo")
    if not data:
        return
    place = root.with_name(f"{root.name}-updateinfo.xml")
    place.write_bytes(data)
    for update in createrepo_c.UpdateInfo(str(place)).updates:
        digest = sha256(f"{update.id}{update.version}".encode()).hexdigest()
        upstream_id = identity("advisory", digest)
        rows.add("UpdateRecordResource", _advisory(update, upstream_id, digest))
        for reference in update.references:
            row = {"href": reference.href, "ref_id": reference.id, "title": reference.title}
            rows.add("UpdateReferenceResource", row | {"ref_type": reference.type, "update_record": digest})
        for collection in update.collections:
            _collection(rows, collection, digest)
        yield upstream_id
    place.unlink()


def _advisory(update: createrepo_c.UpdateRecord, upstream_id: str, digest: str) -> Row:
    fields: Row = {"id": update.id}
    names = ("description", "fromstr", "status", "title", "summary", "version", "type", "severity", "solution")
    for name in (*names, "release", "rights", "pushcount"):
        fields[name] = text(getattr(update, name))
    fields |= {"issued_date": _seconds(update.issued_date), "updated_date": _seconds(update.updated_date)}
    fields |= {"reboot_suggested": text(bool(update.reboot_suggested)), "digest": digest}
    return _content("advisory", upstream_id, **fields)


def _seconds(value: object) -> str:
    return str(int(value.timestamp())) if hasattr(value, "timestamp") else text(value)


def _collection(rows: Rows, collection: createrepo_c.UpdateCollection, digest: str) -> None:
    module = collection.module
    names = ("name", "stream", "version", "context", "arch")
    found = None if module is None else {name: getattr(module, name) for name in names}
    row: Row = {"name": collection.name, "shortname": collection.shortname, "module": inner(found)}
    rows.add("UpdateCollectionResource", row | {"update_record": digest})
    for package in collection.packages:
        fields: Row = {name: text(getattr(package, name)) for name in ("arch", "epoch", "filename", "name")}
        for name in ("reboot_suggested", "relogin_suggested", "restart_suggested"):
            fields[name] = text(bool(getattr(package, name)))
        for name in ("release", "src", "sum", "sum_type", "version"):
            fields[name] = text(getattr(package, name))
        fields["update_collection"] = f"{collection.name}|{digest}"
        rows.add("UpdateCollectionPackageResource", fields)


def _tree(rows: Rows, root: Path) -> str:
    treeinfo = (root / ".treeinfo").read_bytes()
    upstream_id = identity("tree", sha256(treeinfo).hexdigest())
    repository = f"Extras-{sha256(treeinfo).hexdigest()}"
    fields: Row = {"header_version": "1.2", "release_name": "Gap Linux", "release_short": "GL"}
    fields |= {"release_version": "9.2", "release_is_layered": "0", "base_product_name": "", "base_product_short": ""}
    fields |= {"base_product_version": "", "arch": "noarch", "build_timestamp": "1700000000.0", "instimage": ""}
    fields |= {"mainimage": "images/install.img", "discnum": "", "totaldiscs": "", "digest": "0" * 64}
    rows.add("DistributionTreeResource", _content("distribution_tree", upstream_id, **fields))
    row = {"name": repository, "pulp_type": "rpm.rpm", "description": "", "user_hidden": "1"}
    rows.add("DistributionTreeRepositoryResource", row)
    rows.link(upstream_id, ".treeinfo", treeinfo)
    for path in sorted(path for path in (root / "images").rglob("*") if path.is_file()):
        name, data = str(path.relative_to(root)), path.read_bytes()
        rows.link(upstream_id, name, data)
        checksum = f"sha256:{sha256(data).hexdigest()}"
        rows.add("ChecksumResource", {"path": name, "checksum": checksum, "distribution_tree": upstream_id})
        if "pxeboot" in name:
            row = {"name": path.stem, "path": name, "platforms": "noarch", "distribution_tree": upstream_id}
            rows.add("ImageResource", row)
    for variant, other in (("Extras", repository), ("Main", "")):
        place = "Packages" if variant == "Main" else f"{variant}/Packages"
        fields = {"variant_id": variant, "uid": variant, "name": variant, "type": "variant", "packages": place}
        for name in ("source_packages", "source_repository", "debug_packages", "debug_repository", "identity"):
            fields[name] = ""
        rows.add("VariantResource", fields | {"distribution_tree": upstream_id, "repository": other})
    rows.mapping[repository] = [_package(rows, path) for path in sorted((root / "Extras/Packages").rglob("*.rpm"))]
    return upstream_id
