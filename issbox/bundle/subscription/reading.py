"""A subscription manifest as a whole: from the bytes of its file to the words that it holds.

The outer ZIP holds `signature` and `consumer_export.zip`; everything else lies in the latter, below `export/`.
The signature is checked (`certs.manifest_signature`) before anything is read that could cost much.
"""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, TypeVar

import msgspec

from issbox.bundle.decoding import decode
from issbox.bundle.subscription import documents
from issbox.bundle.subscription.archive import Archive
from issbox.errors import NotASubscriptionManifestError
from issbox.model import OfferedContent, OfferedProduct, SignedExport, SubscriptionManifest

T = TypeVar("T")

_INNER: Final = "consumer_export.zip"
_SIGNATURE: Final = "signature"
_CDN: Final = "export/content_delivery_network"
_LONGEST_URL: Final = 1000
_LARGEST_SIGNATURE: Final = 64 << 10
_MOST_CERTIFICATES: Final = 5_000


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """Everything that is used of a manifest."""

    manifest: SubscriptionManifest
    entitlements: tuple[str, ...] = field(repr=False)
    """Each one certificate with what follows it, and its private key, in PEM."""
    identity: tuple[str, str] | None = field(repr=False)
    """Certificate and private key that the distributor shows to the portal."""


class OpenedManifest:
    """A manifest of which nothing has been read but what its signature is checked by."""

    def __init__(self, data: bytes, name: str) -> None:
        """Open a manifest from its bytes; `name` is that of its file.

        Raises NotASubscriptionManifestError when it is none.
        """
        outer = Archive(data, name)
        inner = outer.read(_INNER)
        signature = outer.read(_SIGNATURE) if _SIGNATURE in outer.files else b""
        if len(signature) > _LARGEST_SIGNATURE:
            raise NotASubscriptionManifestError(f"{name}: its signature is larger than any")
        self._archive = Archive(inner, _INNER)
        self.sha256: Final = sha256(data).hexdigest()
        self.size: Final = len(data)
        self.signed: Final = SignedExport(inner, signature, *_scheme(self._archive))

    def read(self) -> ManifestFile:
        """Read the rest, once the signature was looked at.

        Raises NotASubscriptionManifestError saying which part is not as it must be.
        """
        return ManifestFile(_manifest(self._archive), _entitlements(self._archive), _identity(self._archive))


def _document(archive: Archive, decoder: msgspec.json.Decoder[T], path: str) -> T:
    return decode(decoder, archive.read(path), path, NotASubscriptionManifestError)


def _scheme(archive: Archive) -> tuple[bytes | None, str]:
    path = "export/scheme.json"
    if path not in archive.files:
        return None, ""
    fields = _document(archive, documents.SCHEME, path)
    try:
        certificate = base64.b64decode("".join(fields.certificate.split()), validate=True)
    except (binascii.Error, ValueError):
        raise NotASubscriptionManifestError(f"{path}: $.certificate: this is not base64") from None
    return certificate, fields.signature_algorithm or ""


def _manifest(archive: Archive) -> SubscriptionManifest:
    meta = _document(archive, documents.META, "export/meta.json")
    consumer = _document(archive, documents.CONSUMER, "export/consumer.json")
    products, skipped = _products(archive)
    return SubscriptionManifest(
        created=documents.time(meta.created, "export/meta.json: $.created"),
        version=(meta.version or "")[:100],
        cdn_label=(meta.cdn_label or "")[:255],
        distributor=documents.distributor(consumer, "export/consumer.json"),
        products=products,
        subscriptions=tuple(
            documents.subscription(_document(archive, documents.ENTITLEMENT, path), path)
            for path in archive.below("export/entitlements", ".json")
        ),
        skipped=skipped,
        cdn_url=_cdn_url(archive),
    )


def _cdn_url(archive: Archive) -> str:
    found = (_document(archive, documents.CDN, path).url for path in archive.below(_CDN, ".json"))
    return next((url[:_LONGEST_URL] for url in found if url), "")


def _products(archive: Archive) -> tuple[tuple[OfferedProduct, ...], int]:
    """Give the products that have contents, each once, and how many contents were left out."""
    found: dict[str, OfferedProduct] = {}
    skipped = 0
    for path in archive.below("export/products", ".json"):
        for fields in _with_provided(_document(archive, documents.PRODUCT, path)):
            number = documents.number(fields.id, f"{path}: $.id")
            if number in found or not fields.product_content:
                continue
            contents: dict[str, OfferedContent] = {}
            arches = documents.arches_of(fields)
            for each in fields.product_content:
                content = documents.offered(each, arches)
                if content is not None:
                    contents.setdefault(content.content.id, content)
                skipped += content is None
            name = documents.product_name(fields, f"{path}: $.name")
            found[number] = OfferedProduct(number, name, tuple(contents[each] for each in sorted(contents)))
    usable = (found[number] for number in sorted(found, key=_by_number) if found[number].contents)
    return tuple(usable), skipped


def _with_provided(fields: documents.ProductFields) -> Iterator[documents.ProductFields]:
    """Give a product and those embedded in it, however deep."""
    waiting = [fields]
    while waiting:
        each = waiting.pop()
        yield each
        waiting += each.provided_products or ()
        waiting += [each.derived_product] if each.derived_product else ()


def _by_number(number: str) -> tuple[int, str]:
    return (len(number), number)


def _entitlements(archive: Archive) -> tuple[str, ...]:
    paths = archive.below("export/entitlement_certificates", ".pem")
    if len(paths) > _MOST_CERTIFICATES:
        raise NotASubscriptionManifestError(f"{archive.name}: it has more than {_MOST_CERTIFICATES} certificates")
    return tuple(archive.read(path).decode("ascii", "replace") for path in paths)


def _identity(archive: Archive) -> tuple[str, str] | None:
    paths = archive.below("export/upstream_consumer", ".json")
    if not paths:
        return None
    fields = _document(archive, documents.IDENTITY, paths[-1])
    return fields.cert, fields.key
