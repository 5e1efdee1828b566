"""Verification reports as JSON, whose bytes are signed, and as text for people."""

import msgspec

from issbox.bundle.decoding import decode
from issbox.bundle.signature import format_fingerprint
from issbox.errors import StoreDamagedError
from issbox.model import ImportReport, ReportCheck, ReportEnvironment, ReportPromotion, ReportRepository, ReportVolume
from issbox.names import format_size, format_time, plural

_REPORT = msgspec.json.Decoder(ImportReport)
_CHECKS = {
    ReportCheck.SIGNATURE: "the manifest is signed by a key that this box trusts",
    ReportCheck.CHUNKS: "each chunk has the size and SHA-256 of the signed table of contents",
    ReportCheck.FILE_TABLE: "the file table is the one that was signed",
    ReportCheck.FILES: "every file has the size and SHA-256 of the file table",
    ReportCheck.REPODATA: "the repodata is the one that was signed, and lists exactly the packages that are there",
    ReportCheck.OWN_CHECKSUMS: "every file has the checksum that the export gives itself; nobody has signed these",
}


def encode_report(report: ImportReport) -> bytes:
    """Give a report as JSON with two spaces of indent: the bytes that are kept, and signed."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def decode_report(data: bytes) -> ImportReport:
    """Read a report that this box wrote; raises StoreDamagedError for anything else."""
    return decode(_REPORT, data, "report", StoreDamagedError)


def report_text(report: ImportReport) -> str:
    """Give a report as text for people."""
    lines = [
        f"Import {report.import_id} into {report.organization}, box {report.box.name}",
        "",
        *(f"{name + ':':<10} {value}" for name, value in _facts(report)),
        "",
        "Checked and found right:",
        *(f"  {check}: {_CHECKS[check]}" for check in report.checks),
        "",
        "Volumes:",
        *map(_volume, report.volumes),
        "",
        "Repositories:",
        *(line for each in report.repositories for line in _repository(each)),
        *(["", "Lifecycle environments:"] if report.lifecycle_environments else []),
        *(line for each in report.lifecycle_environments for line in _environment(each)),
    ]
    return "\n".join([*lines, ""])


def _facts(report: ImportReport) -> list[tuple[str, str]]:
    source, files = report.source, report.files
    trusted = f", trusted as {source.trusted_as}" if source.trusted_as else ""
    number = f"number {report.sequence} for {report.destination or 'no destination'}"
    facts = [
        ("Bundle", f"{report.bundle_id} ({report.kind}, {report.form}), {number}"),
        ("Made", f"{format_time(report.created_at)} on {source.box_name} ({source.software})"),
        ("Made by", source.made_by or "not said"),
        ("Signed by", f"{format_fingerprint(source.key_id)}{trusted}" if source.key_id else "nobody"),
        ("Manifest", f"SHA-256 {report.manifest_sha256}" if report.manifest_sha256 else "none"),
        ("Imported", f"{format_time(report.imported_at)} by {report.imported_by} ({report.imported_from})"),
        ("Software", report.box.software),
        ("Approved", ", ".join(report.approved_by) or "by nobody"),
        ("Listed", _amount(files.listed, files.listed_size)),
        ("Carried", _amount(files.carried, files.carried_size)),
        ("Copied", _amount(files.copied, files.copied_size)),
    ]
    return [*facts, ("Note", report.note)] if report.note else facts


def _amount(files: int, size: int) -> str:
    return f"{plural(files, 'file')}, {format_size(size)} ({size} bytes)"


def _volume(each: ReportVolume) -> str:
    copied = f"{plural(each.copied_files, 'file')}, {format_size(each.copied_size)} copied"
    return f"  {each.number}: import {each.import_id}, {each.path}, seen {format_time(each.first_seen)}; {copied}"


def _repository(each: ReportRepository) -> list[str]:
    before = "new" if each.before is None else f"version {each.before}"
    change = f"version {each.after}, unchanged" if each.before == each.after else f"{before} -> version {each.after}"
    amount = f"{plural(each.packages, 'package')}, {plural(each.files, 'file')}, {format_size(each.size)}"
    return [
        f"  {each.product}/{each.label}: {change}; {amount}",
        f"    repomd.xml SHA-256 {each.repomd_sha256}",
    ]


def _environment(each: ReportEnvironment) -> list[str]:
    return [f"  {each.label}: {each.change}", *(f"    {one.path}: {_promotion(one)}" for one in each.promotions)]


def _promotion(one: ReportPromotion) -> str:
    if one.version is None:
        return f"not here, so nothing changed; repomd.xml SHA-256 {one.repomd_sha256}"
    view = f" of {one.content_view_version}" if one.content_view_version else ""
    return f"version {one.version}{view}, {one.change}; repomd.xml SHA-256 {one.repomd_sha256}"
