"""Subscription manifests as a distributor exports them, signed by an authority that stands in for Red Hat's.

authority = manifest_authority()
path = write_manifest(tmp_path / "manifest.zip", products=[rhel()])
import_manifest(ctx, "acme", path.read_bytes(), path.name, trust=ManifestTrust((authority.root_pem,)))
"""

import base64
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from issbox.certs import pem
from issbox.certs.authority import Authority
from issbox.certs.entitlement import issue_entitlement, prepare_v3
from issbox.certs.identity import issue_identity
from issbox.certs.keys import KeyKind, new_serial
from issbox.model import CertifiedContent, CertifiedProduct, EntitlementPayload, Order, Subscription, Validity
from makers.certificates import authority_of, key_of

CREATED = datetime(2026, 11, 2, 10, 0, 0, tzinfo=UTC)
DISTRIBUTOR = "0d5a1f0e-7f11-4f6e-9a3c-2b6f0f6a7c11"
API = "https://portal.example.com/subscription/consumers/"


@dataclass(frozen=True)
class MadeContent:
    """A content of a product."""

    id: str
    label: str
    url: str
    enabled: bool = False
    type: str = "yum"
    arches: str = "x86_64"
    tags: str = ""
    gpg_url: str = "file:///etc/pki/rpm-gpg/RPM-GPG-KEY-redhat-release"
    vendor: str = "Red Hat"

    @property
    def name(self) -> str:
        return f"{self.label} (RPMs)"


@dataclass(frozen=True)
class MadeProduct:
    """An engineering product."""

    id: str
    name: str
    contents: tuple[MadeContent, ...] = ()
    arches: str | None = None


BASEOS = MadeContent(
    "10303", "rhel-9-for-x86_64-baseos-rpms", "/content/dist/rhel9/$releasever/x86_64/baseos/os", enabled=True
)
APPSTREAM = MadeContent(
    "10304", "rhel-9-for-x86_64-appstream-rpms", "/content/dist/rhel9/$releasever/x86_64/appstream/os", enabled=True
)
BASE_8 = MadeContent("7439", "rhel-8-for-x86_64-baseos-rpms", "/content/dist/rhel8/$releasever/x86_64/baseos/os")


def rhel(*contents: MadeContent) -> MadeProduct:
    """Give the product 479 with these contents, or with BaseOS and AppStream."""
    return MadeProduct("479", "Red Hat Enterprise Linux for x86_64", contents or (BASEOS, APPSTREAM))


def manifest_authority(number: int = 7) -> Authority:
    """Give the authority that signs manifests and their certificates, the same one each time."""
    return authority_of(KeyKind.RSA_3072, number)


def certificate_text(
    products: Sequence[MadeProduct], authority: Authority, *, valid: Validity | None = None, serial: int | None = None
) -> str:
    """Give an entitlement certificate that opens all contents of the products, and its key, in one text."""
    contents = tuple(
        CertifiedContent(each.id, each.label, each.name, each.url, vendor=each.vendor)
        for product in products
        for each in product.contents
        if each.url.startswith("/content/")
    )
    listed = (CertifiedProduct("479", "Everything", content=contents),)
    key = key_of(KeyKind.RSA_2048, 3)
    issued = issue_entitlement(
        authority,
        prepare_v3(EntitlementPayload(Subscription("Example"), Order(), listed), authority),
        organization="1234567",
        entitlement="8a85f98c00000000000000000000abcd",
        public=key.public,
        valid=valid or _two_years(),
        serial=serial or new_serial(),
    )
    return issued + key.pem()


def manifest_files(
    *,
    products: Sequence[MadeProduct] = (),
    authority: Authority | None = None,
    created: datetime = CREATED,
    uuid: str = DISTRIBUTOR,
    name: str = "acme-disconnected",
    api: str = API,
    valid: Validity | None = None,
    scheme: bool = False,
) -> dict[str, bytes]:
    """Give the files of the inner archive by path."""
    signer = authority or manifest_authority()
    serial = new_serial()
    bundle = certificate_text(products, signer, valid=valid, serial=serial)
    identity_key = key_of(KeyKind.RSA_2048, 4)
    identity = issue_identity(
        signer,
        organization="1234567",
        consumer=uuid,
        name=name,
        public=identity_key.public,
        valid=_two_years(),
        serial=new_serial(),
    )
    entitlement = {
        "id": "8a85f98c00000000000000000000abcd",
        "quantity": 10,
        "startDate": "2026-01-01T05:00:00.000+0000",
        "endDate": "2028-01-01T04:59:59.000+0000",
        "certificates": [{"id": "1", "serial": {"serial": serial}}],
        "pool": {
            "productId": "RH00001",
            "productName": "Red Hat Enterprise Linux, Self-Support",
            "contractNumber": "11223344",
            "accountNumber": "1234567",
            "providedProducts": [{"productId": each.id, "productName": each.name} for each in products],
        },
    }
    documents: dict[str, object] = {
        "meta.json": {"version": "4.4.14-1", "created": stamp(created), "principalName": "admin", "cdnLabel": None},
        "consumer.json": {
            "uuid": uuid,
            "name": name,
            "type": {"id": "9", "label": "satellite", "manifest": True},
            "owner": {"id": "1", "key": "1234567", "displayName": "1234567"},
            "urlWeb": "portal.example.com/management",
            "urlApi": api,
        },
        "consumer_types/satellite.json": {"id": "9", "label": "satellite", "manifest": True},
        f"upstream_consumer/{new_serial()}.json": {"cert": identity, "key": identity_key.pem(), "serial": {"id": 1}},
        f"entitlements/{entitlement['id']}.json": entitlement,
        "products/RH00001.json": {
            "id": "RH00001",
            "name": "Red Hat Enterprise Linux, Self-Support",
            "productContent": [],
            "providedProducts": [_product(each) for each in products],
        },
        "distributor_version/sat-6.15.json": {"id": "1", "name": "sat-6.15", "capabilities": []},
    }
    if scheme:
        (certificate,) = pem.read(signer.root_pem)
        encoded = base64.b64encode(certificate.data).decode()
        documents["scheme.json"] = {
            "name": "rsa",
            "certificate": encoded,
            "signature_algorithm": "SHA256WithRSA",
            "key_algorithm": "RSA",
        }
    documents |= {f"products/{each.id}.json": _product(each) for each in products}
    files = {f"export/{path}": json.dumps(document).encode() for path, document in documents.items()}
    files[f"export/entitlement_certificates/{serial}.pem"] = bundle.encode()
    files["export/rules2/rules.js"] = b"// Version: 5.44\n"
    return files


def archive(files: Mapping[str, bytes]) -> bytes:
    """Give a ZIP of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for path, data in files.items():
            made.writestr(path, data)
    return out.getvalue()


def signed(files: Mapping[str, bytes], authority: Authority | None = None, *, unsigned: bool = False) -> bytes:
    """Give the whole manifest with these files in the inner archive."""
    inner = archive(files)
    if unsigned:
        return archive({"consumer_export.zip": inner})
    signature = (authority or manifest_authority()).sign(inner)
    return archive({"consumer_export.zip": inner, "signature": signature})


def manifest_bytes(*, authority: Authority | None = None, **options: object) -> bytes:
    """Give a manifest; the options are those of `manifest_files`."""
    return signed(manifest_files(authority=authority, **options), authority)  # type: ignore[arg-type]  # by name


def write_manifest(path: Path, **options: object) -> Path:
    """Write a manifest to a file and give its path."""
    path.write_bytes(manifest_bytes(**options))  # type: ignore[arg-type]  # by name
    return path


def stamp(time: datetime) -> str:
    """Write a time as Java does."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _product(product: MadeProduct) -> dict[str, object]:
    return {
        "id": product.id,
        "name": product.name,
        "uuid": f"uuid-{product.id}",
        "multiplier": 1,
        "attributes": [{"name": "type", "value": "SVC"}, {"name": "arch", "value": product.arches}],
        "productContent": [{"content": _content(each), "enabled": each.enabled} for each in product.contents],
        "providedProducts": [],
    }


def _content(content: MadeContent) -> dict[str, object]:
    return {
        "id": content.id,
        "type": content.type,
        "label": content.label,
        "name": content.name,
        "vendor": content.vendor,
        "contentUrl": content.url,
        "requiredTags": content.tags or None,
        "gpgUrl": content.gpg_url,
        "arches": content.arches,
        "modifiedProductIds": [],
    }


def _two_years() -> Validity:
    now = datetime.now(UTC)
    return Validity(now - timedelta(days=1), now + timedelta(days=730))
