"""Files for hosts without subscription-manager: certificates, key, and .repo files that use them."""

import io
import tarfile
from pathlib import Path

from issbox.certs import pem
from issbox.certs.hashed_names import hashed_files
from issbox.errors import AlreadyExistsError, BadCertificateError, ConfigurationError, ServerCertificateError
from issbox.files import atomic_write, error_from_os
from issbox.model import CertifiedContent, Consumer, OverrideHolder, OverrideKind
from issbox.rules.entitlements import entitlements as rules
from issbox.rules.entitlements.repo_files import HostContent, yum_file, zypper_file
from issbox.workflows.certificates.authority import open_authority
from issbox.workflows.certificates.certificates import certificates_of
from issbox.workflows.context import Context, Permission
from issbox.workflows.hosts.consumers import get_consumer, identity_of, read_key
from issbox.workflows.hosts.overrides import read_overrides


def write_host_files(ctx: Context, uuid: str, directory: Path, *, content_url: str | None = None) -> list[Path]:
    """Write what a host needs into a directory and give the files: keys with mode 0600, the rest for everybody.

    Files of the same host are written anew. Raises what `host_files` raises, and AlreadyExistsError when the directory
    holds the key of another host.
    """
    files = host_files(ctx, uuid, content_url=content_url)
    _refuse_another_key(directory, files["key.pem"])
    return [_write(directory / name, text) for name, text in files.items()]


def check_place(ctx: Context, directory: Path, *, content_url: str | None = None) -> None:
    """See before a host is registered that its files can be written into the directory.

    Raises ConfigurationError as `host_files` does, and AlreadyExistsError when the directory holds the key of a host.
    """
    _content_address(ctx, content_url)
    _refuse_another_key(directory, None)


def _refuse_another_key(directory: Path, key: str | None) -> None:
    try:
        there = (directory / "key.pem").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return
    except OSError as error:
        raise error_from_os(error) from error
    if there != key:
        raise AlreadyExistsError(
            f"{directory} holds the key of another host",
            hint="Name a directory of its own for each host. Nothing was written or registered.",
        )


def _content_address(ctx: Context, given: str | None) -> str:
    address = (given or ctx.settings.certificates.content_url).rstrip("/")
    if not address:
        raise ConfigurationError(
            "nobody has said where hosts find the content of this box",
            hint="Set content_url in [certificates], or give --content-url.",
        )
    return address


def archive_host_files(ctx: Context, uuid: str, *, content_url: str | None = None) -> bytes:
    """Give what a host needs as a tar; raises what `host_files` raises."""
    now, made = int(ctx.clock().timestamp()), io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, text in host_files(ctx, uuid, content_url=content_url).items():
            entry, data = tarfile.TarInfo(name), text.encode()
            entry.size, entry.mtime, entry.mode = len(data), now, _mode(name)
            archive.addfile(entry, io.BytesIO(data))
    return made.getvalue()


def host_files(ctx: Context, uuid: str, *, content_url: str | None = None) -> dict[str, str]:
    """Give what a host needs by file name.

    `uuid`, `identity.pem`, `key.pem`, `ca.pem`, `entitlement-N.pem` with the X.509 part only, and `issbox.repo`, in
    which the host's release and content overrides count. For zypper, `zypper.repo`, and each authority of `ca.pem` in a
    file of the name that OpenSSL looks for, such as `1a2b3c4d.0`. Raises ConfigurationError when nobody has said under
    which address hosts find the content.
    """
    consumer = get_consumer(ctx, uuid)
    ctx.require(Permission.CONSUMER_MANAGE, consumer.organization)
    address = _content_address(ctx, content_url)
    issued = certificates_of(ctx, uuid)
    files = {
        "uuid": f"{uuid}\n",
        "identity.pem": identity_of(ctx, uuid).pem,
        "key.pem": read_key(ctx, uuid),
        "ca.pem": (trusted := trusted_by_hosts(ctx)),
        **hashed_files(trusted),
    }
    overrides: dict[str, dict[str, str]] = {}
    for override in read_overrides(ctx, OverrideHolder(OverrideKind.CONSUMER, uuid)):
        overrides.setdefault(override.label, {})[override.name] = override.value
    readable: dict[str, HostContent] = {}
    for number, each in enumerate(issued, start=1):
        name = f"entitlement-{number}.pem"
        files[name] = pem.first_certificate(each.certificate.pem)
        for content in _contents(ctx, consumer, each.entitlement.product):
            readable.setdefault(content.label, HostContent(content, name, overrides.get(content.label, {})))
    for name, write in (("issbox.repo", yum_file), ("zypper.repo", zypper_file)):
        files[name] = write(readable.values(), address, consumer.release)
    return files


def trusted_by_hosts(ctx: Context) -> str:
    """Give the certificates by which hosts know the server: the box's authority, and those of the site if it has any.

    Raises ServerCertificateError.
    """
    trusted, site = open_authority(ctx).root_pem, ctx.settings.web.certificate
    if site is None:
        return trusted
    try:
        parts = pem.read(site.read_text())
    except (OSError, UnicodeDecodeError, BadCertificateError) as error:
        raise ServerCertificateError(f"the server's certificate cannot be read: {error}") from None
    return trusted + "".join(pem.write(each.label, each.data) for each in parts if each.label == "CERTIFICATE")


def _contents(ctx: Context, consumer: Consumer, scope: str | None) -> tuple[CertifiedContent, ...]:
    with ctx.store.session():
        known = ctx.store.catalogues.get(consumer.organization)
    return rules.contents(known, consumer.profile, scope)


def _write(path: Path, text: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path, mode=_mode(path.name)) as out:
            out.write(text.encode())
    except OSError as error:
        raise error_from_os(error) from error
    return path


def _mode(name: str) -> int:
    return 0o600 if name == "key.pem" else 0o644
