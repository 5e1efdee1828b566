"""Files for hosts without subscription-manager: certificates, key, and a .repo file that uses them."""

from pathlib import Path
from typing import Final

from issbox.errors import ConfigurationError
from issbox.files import atomic_write, error_from_os
from issbox.model import CertifiedContent, Consumer
from issbox.rules import entitlements as rules
from issbox.rules.paths import is_uri
from issbox.workflows.authority import show_authority
from issbox.workflows.certificates import certificates_of
from issbox.workflows.consumers import get_consumer, identity_of, read_key
from issbox.workflows.context import Context, Permission

_DIRECTORY: Final = "/etc/pki/issbox"
"""Where the .repo file says that hosts have the other files."""


def write_host_files(ctx: Context, uuid: str, directory: Path, *, content_url: str | None = None) -> list[Path]:
    """Write what a host needs into a directory and give the files: keys with mode 0600, the rest for everybody.

    `identity.pem`, `key.pem`, `ca.pem`, `entitlement-N.pem` with the X.509 part only, and `issbox.repo`. Raises
    ConfigurationError when nobody has said under which address hosts find the content.
    """
    consumer = get_consumer(ctx, uuid)
    ctx.require(Permission.CONSUMER_MANAGE, consumer.organization)
    address = (content_url or ctx.settings.certificates.content_url).rstrip("/")
    if not address:
        raise ConfigurationError(
            "nobody has said where hosts find the content of this box",
            hint="Set content_url in [certificates], or give --content-url.",
        )
    issued = certificates_of(ctx, uuid)
    files = {
        "identity.pem": identity_of(ctx, uuid).pem,
        "key.pem": read_key(ctx, uuid),
        "ca.pem": show_authority(ctx).root_pem,
        "issbox.repo": "",
    }
    sections = []
    for number, each in enumerate(issued, start=1):
        name = f"entitlement-{number}.pem"
        files[name] = f"{each.certificate.pem.split('-----BEGIN ENTITLEMENT DATA-----')[0]}"
        contents = _contents(ctx, consumer, each.entitlement.product)
        sections += [_section(content, address, name) for content in contents]
    files["issbox.repo"] = "\n".join(sections)
    return [_write(directory / name, text) for name, text in files.items()]


def _contents(ctx: Context, consumer: Consumer, scope: str | None) -> tuple[CertifiedContent, ...]:
    with ctx.store.session():
        known = ctx.store.catalogues.get(consumer.organization)
    return rules.contents(known, consumer.profile, scope)


def _section(content: CertifiedContent, address: str, certificate: str) -> str:
    lines = [
        f"[{content.label}]",
        f"name={content.name}",
        f"baseurl={_address(content.path, address)}",
        f"enabled={int(content.enabled)}",
        f"gpgcheck={int(bool(content.gpg_url))}",
        *([f"gpgkey={_address(content.gpg_url, address)}"] if content.gpg_url else []),
        "sslverify=1",
        f"sslcacert={_DIRECTORY}/ca.pem",
        f"sslclientcert={_DIRECTORY}/{certificate}",
        f"sslclientkey={_DIRECTORY}/key.pem",
    ]
    return "\n".join(line.replace("\n", " ") for line in lines) + "\n"


def _address(path: str, address: str) -> str:
    return path if is_uri(path) else f"{address}{path}"


def _write(path: Path, text: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path, mode=0o600 if path.name == "key.pem" else 0o644) as out:
            out.write(text.encode())
    except OSError as error:
        raise error_from_os(error) from error
    return path
