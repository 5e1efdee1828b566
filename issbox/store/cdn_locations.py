"""Rows of where organizations read Red Hat content from."""

from typing import Any

from peewee import JOIN

from issbox.model import CdnLocation, CdnType, CdnUpstream
from issbox.store.credentials import credential_id
from issbox.store.database import Noun, transaction
from issbox.store.organizations import organization_id
from issbox.store.tables import CdnLocationRow, CredentialRow
from issbox.store.tables.columns import from_json, to_json


class CdnLocations(Noun):
    """Locations of Red Hat content."""

    def get(self, organization: str) -> CdnLocation:
        """Give that of an organization, Red Hat's own CDN unless another was put; raises NotFoundError."""
        ca, certificate = CredentialRow.alias(), CredentialRow.alias()
        query: Any = (
            CdnLocationRow.select(
                CdnLocationRow, ca.label.alias("ca_label"), certificate.label.alias("client_certificate_label")
            )
            .join(ca, JOIN.LEFT_OUTER, on=(CdnLocationRow.ca == ca.id))
            .switch(CdnLocationRow)
            .join(certificate, JOIN.LEFT_OUTER, on=(CdnLocationRow.client_certificate == certificate.id))
            .where(CdnLocationRow.organization == organization_id(organization))
        )
        row = query.dicts().first()
        if row is None:
            return CdnLocation(organization)
        return CdnLocation(
            organization,
            CdnType(row["type"]),
            row["url"],
            row["ca_label"],
            row["client_certificate_label"],
            row["proxy"],
            bool(row["shows_manifest"]),
            None if row["upstream"] is None else from_json(row["upstream"], CdnUpstream),
        )

    def put(self, location: CdnLocation) -> None:
        """Let this be the location of its organization; raises NotFoundError, also for a content credential."""
        with transaction():
            owner = organization_id(location.organization)
            CdnLocationRow.delete().where(CdnLocationRow.organization == owner).execute()
            CdnLocationRow.insert(
                organization=owner,
                type=location.type.value,
                url=location.url,
                ca=credential_id(owner, location.ca),
                client_certificate=credential_id(owner, location.client_certificate),
                proxy=location.proxy,
                shows_manifest=location.shows_manifest,
                upstream=None if location.upstream is None else to_json(location.upstream),
            ).execute()
