"""Coming to another box by user and password, once: it issues a certificate, which is kept as a content credential."""

from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote, urlsplit

from issbox.errors import IssboxError, UpstreamError
from issbox.model import CdnLocation, CdnServer, CdnUpstream, CredentialKind, Upstream
from issbox.names import make_label
from issbox.workflows.content.credentials import create_credential
from issbox.workflows.content.upstreams import mirror_request
from issbox.workflows.context import Context, Permission
from issbox.yum.other_box import OtherBox

_TYPES: Final = {CdnServer.ISSBOX: "candlepin", CdnServer.KATELLO: "system"}
"""What this box is registered as; a Katello takes other types for distributors that need a subscription."""
_FACTS: Final = {"system.certificate_version": "3.2"}


def join(ctx: Context, location: CdnLocation, user: str, password: str) -> str:
    """Register this box with the other one of a network-sync, and give the label of the certificate that came of it.

    It opens the environment of the location for this box, until the other one deletes the host. Raises
    UnreachableError, UpstreamError with the reason that the other box gives, and what `mirror_request` raises.
    """
    ctx.require(Permission.CONTENT_MANAGE, location.organization)
    assert location.upstream is not None, "only a network-sync has another box"
    reach = Upstream(location.url, location.ca, proxy=location.proxy)
    with ctx.store.session():
        name = ctx.store.box.get().name
        with mirror_request(ctx, location.organization, reach) as request:
            other = OtherBox(request, user, password)
            uuid = _register(other, location.upstream, name)
            try:
                certificate, key = _certificate(other, uuid)
                label = make_label(f"{urlsplit(location.url or '').hostname}-{uuid[:8]}")
                create_credential(
                    ctx,
                    organization=location.organization,
                    label=label,
                    name=f"{name} at {urlsplit(location.url or '').hostname}",
                    kind=CredentialKind.CLIENT_CERTIFICATE,
                    content=certificate,
                    private_key=key,
                )
            except BaseException:
                with suppress(IssboxError):  # what came before says more
                    other.ask("DELETE", f"/rhsm/consumers/{quote(uuid, safe='')}")
                raise
    return label


def _register(other: OtherBox, upstream: CdnUpstream, name: str) -> str:
    wanted = f"{upstream.environment}/{upstream.view}" if upstream.view else upstream.environment
    organization = quote(upstream.organization, safe="")
    query = f"name={quote(wanted, safe='')}&list_all=true"  # also one that has a type
    found = other.ask("GET", f"/rhsm/owners/{organization}/environments?{query}")
    listed = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    fitting = [each for name in ("label", "name") for each in listed if each.get(name) == wanted]  # the label first
    ids = [each.get("id") for each in fitting]
    if not ids or not isinstance(ids[0], str):
        raise UpstreamError(
            f"the other box has no lifecycle environment {wanted} in the organization {upstream.organization}",
            hint="Name another one with --upstream-lifecycle-environment-label.",
        )
    body = {"name": name, "type": {"label": _TYPES[upstream.server]}, "facts": _FACTS}
    made = other.ask("POST", f"/rhsm/environments/{quote(ids[0], safe='')}/consumers", body)
    return _text(made, "uuid")


def _certificate(other: OtherBox, uuid: str) -> tuple[str, str]:
    found = other.ask("GET", f"/rhsm/consumers/{quote(uuid, safe='')}/certificates")
    if not isinstance(found, list) or not found:
        raise UpstreamError("the other box issued no certificate: nothing lies in its lifecycle environment yet")
    return _text(found[0], "cert"), _text(found[0], "key")


def _text(document: Any, name: str) -> str:
    value = document.get(name) if isinstance(document, dict) else None
    if not isinstance(value, str) or not value:
        raise UpstreamError(f"the answer of the other box has no {name}")
    return value
