"""The certificates of a host as one archive, in the form in which Candlepin exports them.

A ZIP with `consumer_export.zip` and `signature`, which the authority makes over the bytes of the former.
"""

import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime

from issbox import VERSION
from issbox.certs.decode import decode_certificate
from issbox.model import CertificateType, IssuedCertificate
from issbox.workflows.certificates.authority import open_authority
from issbox.workflows.context import Context, Permission
from issbox.workflows.hosts.consumers import get_consumer, read_key

_DIRECTORIES = {CertificateType.ORG_LEVEL: "content_access_certificates"}
_ORDINARY = "entitlement_certificates"


def archive_certificates(ctx: Context, uuid: str, certificates: Sequence[IssuedCertificate]) -> bytes:
    """Give certificates of a host, each with its key in one file, as an archive; raises NotFoundError."""
    consumer = get_consumer(ctx, uuid)
    ctx.require(Permission.CONSUMER_MANAGE, consumer.organization)
    key, now = read_key(ctx, uuid), ctx.clock()
    about = {
        "version": VERSION,
        "created": now.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "principalName": ctx.actor.name,
        "webAppPrefix": None,
        "cdnLabel": None,
    }
    files = [("export/meta.json", json.dumps(about).encode())]
    for each in certificates:
        kind = decode_certificate(each.pem).type
        directory = _ORDINARY if kind is None else _DIRECTORIES.get(kind, _ORDINARY)
        files.append((f"export/{directory}/{each.serial}.pem", (each.pem + key).encode()))
    inner = _zip(files, now)
    return _zip([("consumer_export.zip", inner), ("signature", open_authority(ctx).sign(inner))], now)


def _zip(files: Iterable[tuple[str, bytes]], now: datetime) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            entry = zipfile.ZipInfo(name, now.timetuple()[:6])
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return made.getvalue()
