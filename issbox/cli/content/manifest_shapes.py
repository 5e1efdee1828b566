"""What the commands of `issbox manifest` show."""

from typing import TYPE_CHECKING

from issbox.cli.shapes import Field, Shape, fingerprint, size

if TYPE_CHECKING:
    from issbox.model import ManifestEvent
    from issbox.rules.content.manifests import ContentChange
    from issbox.workflows.manifests.manifest_importing import ManifestChange
    from issbox.workflows.manifests.manifests import ManifestOverview


def _number(value: object) -> str:
    return str(len(value)) if isinstance(value, list | tuple) else str(value)


def _contents(changes: "tuple[ContentChange, ...]") -> list[dict[str, object]]:
    return [{"product": each.product, "id": each.id, "label": each.label, "name": each.name} for each in changes]


def _subscriptions(value: object) -> str:
    found = value if isinstance(value, list) else []
    return ", ".join(f"{each['quantity']} x {each['name']}" for each in found)


CHANGE: "Shape[ManifestChange]" = Shape(
    "manifest change",
    (
        Field("organization", "label of the organization", lambda each: each.record.organization),
        Field("distributor", "name of the manifest in the portal", lambda each: each.record.distributor.name),
        Field("distributor_uuid", "its UUID there", lambda each: each.record.distributor.uuid),
        Field("created", "when the manifest was exported", lambda each: each.record.created),
        Field(
            "signed_by",
            "subject of the authority; empty when no good signature was found",
            lambda each: each.record.signed_by,
        ),
        Field(
            "products_in",
            "array of the labels of products that come",
            lambda each: [one.label for one in each.plan.products_in],
        ),
        Field(
            "products_renamed",
            "array of the labels of products that get another name",
            lambda each: [one.label for one in each.plan.products_renamed],
        ),
        Field("products_out", "array of the labels of products that go", lambda each: each.plan.products_out),
        Field(
            "products_kept",
            "array of the labels of products that are offered no more and stay, as repositories, hosts or activation "
            "keys need them",
            lambda each: each.plan.products_kept,
        ),
        Field(
            "contents_in",
            "array of contents offered from now on: `product`, `id`, `label`, `name`",
            lambda each: _contents(each.plan.contents_in),
            show=_number,
        ),
        Field(
            "contents_changed",
            "array of contents described anew, alike",
            lambda each: _contents(each.plan.contents_changed),
            show=_number,
        ),
        Field(
            "contents_out",
            "array of contents offered no more, alike",
            lambda each: _contents(each.plan.contents_out),
            show=_number,
        ),
        Field(
            "withdrawn",
            "array of contents offered no more that have repositories: `id`, `label`, `repositories`, which stay, and "
            "`environments`, where they show as dangling",
            lambda each: [
                {"id": one.id, "label": one.label, "repositories": one.repositories, "environments": one.environments}
                for one in each.plan.withdrawn
            ],
        ),
        Field(
            "restored",
            "array of the ids of contents that were withdrawn and are offered again",
            lambda each: each.plan.restored,
        ),
        Field("forced", "array of the conflicts that were overridden", lambda each: each.plan.forced),
        Field("warnings", "array of what a person should know", lambda each: each.warnings),
    ),
)

MANIFEST: "Shape[ManifestOverview]" = Shape(
    "subscription manifest",
    (
        Field("organization", "label of the organization", lambda each: each.record.organization),
        Field("distributor", "name of the manifest in the portal", lambda each: each.record.distributor.name),
        Field("distributor_uuid", "its UUID there", lambda each: each.record.distributor.uuid),
        Field("web_url", "where it is looked after", lambda each: each.record.distributor.web_url),
        Field("created", "when it was exported", lambda each: each.record.created),
        Field("imported_at", "when it was imported", lambda each: each.record.imported_at),
        Field("imported_by", "by whom", lambda each: each.record.imported_by),
        Field("sha256", "SHA-256 of its file", lambda each: each.record.sha256, show=fingerprint),
        Field("size", "bytes of its file", lambda each: each.record.size, show=size),
        Field(
            "signed_by",
            "subject of the authority; empty when it was accepted without a good signature",
            lambda each: each.record.signed_by,
        ),
        Field("version", "version of the server that made it", lambda each: each.record.version),
        Field("cdn", "name of the content delivery network that it is for", lambda each: each.record.cdn_label),
        Field(
            "refreshable",
            "whether `manifest refresh` can ask for a newer one",
            lambda each: each.record.identity and bool(each.record.distributor.api_url),
        ),
        Field(
            "expires",
            "until when its last certificate is valid, or null",
            lambda each: max((one.valid.not_after for one in each.record.certificates), default=None),
        ),
        Field(
            "certificates",
            "array of its entitlement certificates: `serial` as text, `valid_from`, `valid_until`, `paths`",
            lambda each: [
                {
                    "serial": one.serial,
                    "valid_from": one.valid.not_before,
                    "valid_until": one.valid.not_after,
                    "paths": one.paths,
                }
                for one in each.record.certificates
            ],
            show=_number,
        ),
        Field(
            "subscriptions",
            "array of its subscriptions: `sku`, `name`, `quantity`, `start`, `end`, `contract`, `account`",
            lambda each: [
                {
                    "sku": one.sku,
                    "name": one.name,
                    "quantity": one.quantity,
                    "start": one.start,
                    "end": one.end,
                    "contract": one.contract,
                    "account": one.account,
                }
                for one in each.record.subscriptions
            ],
            show=_subscriptions,
        ),
        Field(
            "products",
            "object: number of contents by product label",
            lambda each: {label: len(contents) for label, contents in each.offered.items()},
        ),
    ),
)

EVENT: "Shape[ManifestEvent]" = Shape(
    "entry of the history of manifests",
    (
        Field("id", "number of the entry", lambda each: each.id, column=True),
        Field("at", "when it was", lambda each: each.at, column=True),
        Field("action", "`import`, `refresh` or `delete`", lambda each: each.action, column=True),
        Field("by", "who did it", lambda each: each.actor.name, column=True),
        Field("distributor", "name of the manifest in the portal", lambda each: each.distributor, column=True),
        Field("distributor_uuid", "its UUID there", lambda each: each.distributor_uuid),
        Field("created", "when the manifest was exported", lambda each: each.created, column=True),
        Field("sha256", "SHA-256 of its file", lambda each: each.sha256),
        Field("signed_by", "subject of the authority, or empty", lambda each: each.signed_by),
        Field("products", "products with contents after it", lambda each: each.products, column=True),
        Field("contents_in", "contents that came", lambda each: each.contents_in, column=True),
        Field("contents_changed", "contents described anew", lambda each: each.contents_changed),
        Field("contents_out", "contents that went", lambda each: each.contents_out, column=True),
        Field("forced", "array of the conflicts that were overridden", lambda each: each.forced),
        Field("notes", "array of the warnings that were given", lambda each: each.notes),
    ),
)
