"""Reading what an environment is to hold from a JSON document, such as `lifecycle-environment info --json` writes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import msgspec

from issbox.bundle.decoding import decode
from issbox.errors import InvalidValueError
from issbox.model import ViewVersionName, WantedContent
from issbox.names import check_label, check_view_version, is_label
from issbox.workflows.context import Context, Permission

MAX_BYTES = 4 << 20
"""Largest document."""
_Number = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]


@dataclass(frozen=True, slots=True)
class _Content:
    """One repository of the document; what else it says of it is passed over."""

    repository: str
    version: _Number
    enabled: bool | None = None
    content_view: str | None = None
    content_view_version: str | None = None


@dataclass(frozen=True, slots=True)
class _Document:
    """The document."""

    content: list[_Content]


_DECODER = msgspec.json.Decoder(_Document)


def read_wanted(data: bytes, where: str) -> list[WantedContent]:
    """Read a document; raises InvalidValueError that says where it is wrong."""
    document = decode(_DECODER, data, where, InvalidValueError)
    return [_wanted(each, f"{where}: $.content[{index}]") for index, each in enumerate(document.content)]


def view_content(ctx: Context, organization: str, names: Iterable[ViewVersionName]) -> list[WantedContent]:
    """Give all that content view versions hold; raises NotFoundError."""
    ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        return [
            WantedContent(pin.repository.key.product, pin.repository.key.label, pin.number, name)
            for name in names
            for pin in ctx.store.view_versions.get(organization, name).repositories
        ]


def _wanted(content: _Content, where: str) -> WantedContent:
    product, separator, label = content.repository.partition("/")
    if not (separator and is_label(product) and is_label(label)):
        raise InvalidValueError(f"{where}.repository: {content.repository!r} is not PRODUCT/LABEL")
    if (content.content_view is None) != (content.content_view_version is None):
        raise InvalidValueError(f"{where}: content_view and content_view_version belong together")
    name = None
    if content.content_view is not None and content.content_view_version is not None:
        name = ViewVersionName(
            check_label(content.content_view, f"{where}.content_view:"),
            check_view_version(content.content_view_version, f"{where}.content_view_version:"),
        )
    return WantedContent(product, label, content.version, name, content.enabled)
