"""What `issbox cdn` shows."""

from typing import TYPE_CHECKING

from issbox.cli.shapes import Field, Shape, size
from issbox.model import CdnChoice, CdnLocation, Downstream
from issbox.names import format_time
from issbox.rules.content.cdn import ARCH, RELEASE, base_url
from issbox.rules.content.urls import mask_url

if TYPE_CHECKING:
    from issbox.workflows.cdn.location import LocationPlan
    from issbox.workflows.cdn.testing import LocationTest


def _masked(url: str | None) -> str | None:
    return mask_url(url) if url else url


def _of(thing: object, name: str) -> object:
    """Give an attribute of something that may not be there."""
    return None if thing is None else getattr(thing, name)


LOCATION = Shape[CdnLocation](
    "CDN location",
    (
        Field("organization", "label of the organization", lambda each: each.organization),
        Field("type", "`redhat-cdn`, `custom-cdn`, `network-sync` or `export-sync`", lambda each: each.type.value),
        Field(
            "url",
            "its URL, secrets as `***`; null: imports fill repositories",
            lambda each: _masked(each.url),
        ),
        Field("base", "the URL of the directory that `content` lies in", lambda each: _masked(base_url(each))),
        Field("ca", "content credential with the CA of the server; null for the system's", lambda each: each.ca),
        Field(
            "client_certificate",
            "content credential that the server is shown; null for none of its own",
            lambda each: each.client_certificate,
        ),
        Field(
            "manifest_certificate",
            "whether the server is shown the certificates of the subscription manifest",
            lambda each: each.shows_manifest,
        ),
        Field("proxy", 'proxy to the server; null for that of the box, "" for none', lambda each: _masked(each.proxy)),
        Field(
            "upstream",
            "of a network-sync: object with `organization`, `environment`, `view` and `server` (`issbox` or `katello`)",
            lambda each: (
                None
                if each.upstream is None
                else {
                    "organization": each.upstream.organization,
                    "environment": each.upstream.environment,
                    "view": each.upstream.view,
                    "server": each.upstream.server.value,
                }
            ),
        ),
    ),
)


def _place(document: object) -> str:
    """Show a location in a few words."""
    return f"{document['type']} {document['base'] or ''}".rstrip() if isinstance(document, dict) else ""


PLAN: "Shape[LocationPlan]" = Shape(
    "CDN location plan",
    (
        Field("before", "as `cdn info` shows it", lambda each: LOCATION.document(each.before), show=_place),
        Field("after", "as `cdn info` shows it", lambda each: LOCATION.document(each.after), show=_place),
        Field(
            "repositories",
            "array of objects: the Red Hat `repository` as `product/repository`, whether it would be `changed`, its "
            "`url` and `new_url`; secrets are shown as `***`",
            lambda each: [
                {
                    "repository": change.key.short,
                    "changed": change.changed,
                    "url": _masked(change.before.url),
                    "new_url": _masked(change.after.url),
                }
                for change in each.repositories
            ],
            show=lambda changes: (
                "; ".join(
                    f"{each['repository']} from {each['new_url'] or 'imports only'}"
                    for each in changes
                    if each["changed"]
                )
                if isinstance(changes, list)
                else ""
            ),
        ),
    ),
)

TEST: "Shape[LocationTest]" = Shape(
    "CDN test",
    (
        Field("organization", "label of the organization", lambda each: each.location.organization),
        Field("base", "URL of the directory that `content` lies in", lambda each: each.base),
        Field(
            "chain",
            "array of objects, the server's own certificate first: `subject`, `issuer`, `not_before`, `not_after`",
            lambda each: [
                {
                    "subject": shown.subject,
                    "issuer": shown.issuer,
                    "not_before": format_time(shown.valid.not_before),
                    "not_after": format_time(shown.valid.not_after),
                }
                for shown in each.chain
            ],
            show=lambda chain: " < ".join(str(each["subject"]) for each in chain) if isinstance(chain, list) else "",
        ),
        Field(
            "steps",
            "array of objects, up to the first one that failed: `step`, `ok`, and what was found in `words`",
            lambda each: [{"step": tried.step, "ok": not tried.failed, "words": tried.words} for tried in each.tried],
            show=lambda steps: ", ".join(str(each["step"]) for each in steps) if isinstance(steps, list) else "",
        ),
        Field("listing", "array of the names at the top of the location", lambda each: list(each.listing)),
        Field("failed", "the step that failed, or null", lambda each: each.failure.step if each.failure else None),
        Field("hint", "what to do about it, or null", lambda each: each.failure.hint if each.failure else None),
    ),
)

CHOICE = Shape[CdnChoice](
    "CDN choice",
    (
        Field("product", "label of its product", lambda each: each.product),
        Field("content", "label of the content", lambda each: each.content.label, column=True),
        Field("content_id", "Red Hat's id of the content", lambda each: each.content.id),
        Field("name", "name of the content for people", lambda each: each.content.name),
        Field("release", "value of $releasever, or null", lambda each: each.variables.get(RELEASE), column=True),
        Field("arch", "value of $basearch, or null", lambda each: each.variables.get(ARCH), column=True),
        Field("path", "where it lies below the base", lambda each: each.path),
        Field("enabled", "whether it is enabled already", lambda each: each.repository is not None, column=True),
        Field(
            "repository",
            "the repository that it is enabled as, as `product/repository`, or null",
            lambda each: None if each.repository is None else each.repository.short,
        ),
        Field(
            "confirmed",
            "whether a listing names it or its metadata was found; false when too many are not listed to look at all",
            lambda each: each.confirmed,
        ),
    ),
)

DOWNSTREAM = Shape[Downstream](
    "downstream box",
    (
        Field("name", "name of the box, or whose certificate it shows", lambda each: each.name, column=True),
        Field(
            "consumer",
            "its UUID here, or null",
            lambda each: _of(each.consumer, "uuid"),
        ),
        Field(
            "environment",
            "where it took content, or null",
            lambda each: _of(each.taking, "environment"),
            column=True,
        ),
        Field("issuer", "who signed the certificate that it showed, or null", lambda each: _of(each.taking, "issuer")),
        Field("serial", "serial number of that certificate, or null", lambda each: _of(each.taking, "serial")),
        Field("first_at", "when it came first, or null", lambda each: _of(each.taking, "first_at")),
        Field("last_at", "when it came last, or null", lambda each: _of(each.taking, "last_at"), column=True),
        Field("requests", "how many files it was given", lambda each: _of(each.taking, "requests") or 0, column=True),
        Field(
            "size", "how many bytes it was given", lambda each: _of(each.taking, "size") or 0, column=True, show=size
        ),
    ),
)
