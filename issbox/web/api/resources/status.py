"""`/status`: what clients ask first."""

from typing import Final

import msgspec

from issbox import VERSION
from issbox.errors import IssboxError
from issbox.web.api.answers import Stamp, stamp
from issbox.web.api.routes import Call, NoQuery, Routes, Shape, Who
from issbox.workflows.appliance.serving import change_mark

ROUTES: Final = Routes("status")
CAPABILITIES: Final = ("cert_v3", "environments", "multi_environment", "org_level_content_access", "typed_environments")
"""What stock clients may count on."""
RULES_VERSION: Final = "5.44"
"""Clients only look whether it changed; hosts are sent no rules."""


class Status(Shape):
    """How this box is."""

    result: bool
    """Whether the database can be read."""
    mode: str
    version: str
    release: str
    standalone: bool
    time_utc: Stamp = msgspec.field(name="timeUTC")
    rules_source: str
    rules_version: str
    manager_capabilities: tuple[str, ...]


@ROUTES.add("GET", "/status", who=Who.ANYONE, answer=Status)
def status(call: Call[None, NoQuery]) -> Status:
    """Say how the box is and what it can do."""
    try:
        change_mark(call.ctx)
        readable = True
    except IssboxError:
        readable = False
    return Status(
        result=readable,
        mode="NORMAL" if readable else "SUSPEND",
        version=VERSION,
        release="1",
        standalone=True,
        time_utc=stamp(call.ctx.clock()),
        rules_source="default",
        rules_version=RULES_VERSION,
        manager_capabilities=CAPABILITIES,
    )
