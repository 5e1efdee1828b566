"""Package groups, categories, environments and language packs: from Pulp's rows to comps.xml."""

from collections.abc import Container, Iterator
from typing import Final
from xml.sax.saxutils import escape, quoteattr

import msgspec

from issbox.bundle.katello.pulp_archive import PulpArchive
from issbox.bundle.katello.rows import check_xml, nested, read_rows, truth

_TYPES: Final = ("default", "optional", "conditional", "mandatory")
"""Kinds of membership by the number that libcomps gives them."""


class _Member(msgspec.Struct):
    name: str
    type: int = 0
    requires: str | None = None
    basearchonly: bool | None = None


class _GroupReference(msgspec.Struct):
    name: str
    default: bool | None = None


class _Named(msgspec.Struct):
    """What groups, categories and environments have in common."""

    upstream_id: str
    id: str
    name: str = ""
    description: str | None = None
    display_order: str | None = None
    name_by_lang: str | None = None
    desc_by_lang: str | None = None


class _Group(_Named):
    default: str | None = None
    user_visible: str | None = None
    biarch_only: str | None = None
    packages: str | None = None


class _Category(_Named):
    group_ids: str | None = None


class _Environment(_Named):
    group_ids: str | None = None
    option_ids: str | None = None


class _Langpacks(msgspec.Struct):
    upstream_id: str
    matches: str | None = None


def comps(archive: PulpArchive, directory: str, ids: Container[str] | None) -> Iterator[bytes]:
    """Give comps.xml in parts, nothing when there are no groups; `ids` names the rows that belong to it, None all.

    Raises BadManifestError.
    """
    found = [
        *_groups(archive, directory, ids),
        *_categories(archive, directory, ids),
        *_environments(archive, directory, ids),
        *_langpacks(archive, directory, ids),
    ]
    if found:
        yield b'<?xml version="1.0" encoding="UTF-8"?>\n<comps>\n'
        for part in found:
            yield part.encode()
        yield b"</comps>\n"


def _groups(archive: PulpArchive, directory: str, ids: Container[str] | None) -> Iterator[str]:
    for row in read_rows(archive, directory, "PackageGroupResource", _Group):
        if ids is not None and row.upstream_id not in ids:
            continue
        members = nested(row.packages, list[_Member], f"{directory}, group {row.id[:60]}")
        yield (
            f"  <group>\n{_head(row, directory)}"
            f"    <default>{_word(row.default)}</default>\n"
            f"    <uservisible>{_word(row.user_visible)}</uservisible>\n"
            + ("    <biarchonly>true</biarchonly>\n" if truth(row.biarch_only) else "")
            + _order(row)
            + f"    <packagelist>\n{''.join(map(_member, members or []))}    </packagelist>\n  </group>\n"
        )


def _categories(archive: PulpArchive, directory: str, ids: Container[str] | None) -> Iterator[str]:
    for row in read_rows(archive, directory, "PackageCategoryResource", _Category):
        if ids is None or row.upstream_id in ids:
            groups = nested(row.group_ids, list[_GroupReference], f"{directory}, category {row.id[:60]}")
            yield f"  <category>\n{_head(row, directory)}{_order(row)}{_references('grouplist', groups)}  </category>\n"


def _environments(archive: PulpArchive, directory: str, ids: Container[str] | None) -> Iterator[str]:
    for row in read_rows(archive, directory, "PackageEnvironmentResource", _Environment):
        if ids is None or row.upstream_id in ids:
            where = f"{directory}, environment {row.id[:60]}"
            groups = nested(row.group_ids, list[_GroupReference], where)
            options = nested(row.option_ids, list[_GroupReference], where)
            yield (
                f"  <environment>\n{_head(row, directory)}{_order(row)}{_references('grouplist', groups)}"
                f"{_references('optionlist', options)}  </environment>\n"
            )


def _langpacks(archive: PulpArchive, directory: str, ids: Container[str] | None) -> Iterator[str]:
    matches: dict[str, str] = {}
    for row in read_rows(archive, directory, "PackageLangpacksResource", _Langpacks):
        if ids is None or row.upstream_id in ids:
            matches |= nested(row.matches, dict[str, str], f"{directory}, langpacks") or {}
    if matches:
        lines = (
            f"    <match install={quoteattr(_plain(install))} name={quoteattr(_plain(name))}/>\n"
            for name, install in sorted(matches.items())
        )
        yield f"  <langpacks>\n{''.join(lines)}  </langpacks>\n"


def _head(row: _Named, directory: str) -> str:
    where = f"{directory}, {row.id[:60]}"
    return (
        f"    <id>{_text(row.id)}</id>\n    <name>{_text(row.name)}</name>\n"
        + _translations("name", nested(row.name_by_lang, dict[str, str], where))
        + f"    <description>{_text(row.description or '')}</description>\n"
        + _translations("description", nested(row.desc_by_lang, dict[str, str], where))
    )


def _translations(tag: str, found: dict[str, str] | None) -> str:
    return "".join(
        f"    <{tag} xml:lang={quoteattr(_plain(language))}>{_text(text)}</{tag}>\n"
        for language, text in sorted((found or {}).items())
    )


def _order(row: _Named) -> str:
    order = row.display_order or ""
    return f"    <display_order>{order}</display_order>\n" if order.lstrip("-").isdecimal() and order.isascii() else ""


def _member(member: _Member) -> str:
    kind = _TYPES[member.type] if 0 <= member.type < len(_TYPES) else "default"
    requires = f" requires={quoteattr(_plain(member.requires))}" if member.requires else ""
    base = ' basearchonly="true"' if member.basearchonly else ""
    return f'      <packagereq type="{kind}"{requires}{base}>{_text(member.name)}</packagereq>\n'


def _references(tag: str, groups: list[_GroupReference] | None) -> str:
    chosen = ' default="true"'
    lines = (
        f"      <groupid{chosen if group.default else ''}>{_text(group.name)}</groupid>\n" for group in groups or []
    )
    return f"    <{tag}>\n{''.join(lines)}    </{tag}>\n"


def _word(text: str | None) -> str:
    return "true" if truth(text) else "false"


def _text(text: str) -> str:
    return escape(_plain(text))


def _plain(text: str) -> str:
    return check_xml(text, "a package group")
