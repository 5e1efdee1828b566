"""Every key of the configuration file, once, with its default and the check of its value.

`config/example.toml` says the same for users, and a test compares the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from issbox.config.checks import (
    Check,
    choice,
    flag,
    layout,
    listen,
    mail_address,
    names,
    networks,
    path,
    seconds,
    sites,
    size,
    url,
    whole,
    word,
    words,
)
from issbox.config.settings import AfterImport, UnsignedKatello, UnsignedManifest

EVENTS: Final = (
    "bundle-refused",
    "import-finished",
    "waiting-for-approval",
    "waiting-for-base",
    "waiting-for-volumes",
    "sequence-skipped",
    "certificate-expiring",
    "space-low",
    "damaged",
)
"""What hooks can be told of."""


@dataclass(frozen=True, slots=True)
class Key:
    """A setting as it stands in the file."""

    default: object
    check: Check
    secret: bool = False
    """Its value may hold a password, so that it is never shown."""


KEYS: Final[Mapping[str, Mapping[str, Key]]] = {
    "": {
        "state_dir": Key("", path),
        "database": Key("", url("postgresql", "postgres"), secret=True),
    },
    "inbox": {
        "path": Key("", path),
        "polling": Key(False, flag),
        "poll_interval_seconds": Key(5, seconds(0.05, 3600)),
        "quiet_for_seconds": Key(5, seconds(0.05, 86400)),
        "incomplete_after_seconds": Key(600, seconds(0.1, 7 * 86400)),
        "rescan_seconds": Key(60, seconds(0.1, 86400)),
        "after_import": Key("archive", choice(*AfterImport)),
        "archive_path": Key("", path),
        "quarantine_path": Key("", path),
        "max_bundle_size": Key("0", size(zero=True)),
        "max_files": Key(2_000_000, whole(1, 100_000_000)),
        "approvals": Key(0, whole(0, 2)),
        "scan_command": Key([], words()),
        "scan_timeout_seconds": Key(3600, seconds(0.1, 7 * 86400)),
        "forget_after_days": Key(30, whole(1, 3650)),
        "accept_unsigned_katello": Key("approve", choice(*UnsignedKatello)),
        "with_lifecycle_environments": Key(False, flag),
    },
    "export": {
        "path": Key("", path),
        "layout": Key("", layout),
        "keep": Key(0, whole(0, 100_000)),
        "keep_days": Key(0, whole(0, 36_500)),
        "keep_until_acknowledged": Key(False, flag),
    },
    "synchronize": {
        "downloads": Key(4, whole(1, 64)),
        "retries": Key(3, whole(0, 100)),
        "timeout_seconds": Key(60, seconds(0.1, 86400)),
        "proxy": Key("", url("http", "https"), secret=True),
        "max_metadata_size": Key("4GiB", size(zero=False)),
    },
    "web": {
        "listen": Key([], listen),
        "names": Key([], names),
        "certificate": Key("", path),
        "certificate_key": Key("", path),
        "verify_depth": Key(5, whole(3, 20)),
        "sites": Key([], sites),
        "socket": Key("", path),
        "socket_group": Key("", word),
        "processes": Key(1, whole(1, 64)),
        "max_connections": Key(1000, whole(1, 100_000)),
        "idle_seconds": Key(75, seconds(0.1, 86400)),
        "send_seconds": Key(60, seconds(0.1, 86400)),
        "metrics_from": Key(["127.0.0.0/8", "::1"], networks),
    },
    "versions": {"keep": Key(3, whole(1, 100_000))},
    "jobs": {"keep_days": Key(90, whole(1, 36_500))},
    "health": {
        "low_space": Key("5GiB", size(zero=True)),
        "waiting_days": Key(7, whole(1, 3650)),
        "certificate_days": Key(30, whole(1, 3650)),
    },
    "hooks": {
        "command": Key([], words()),
        "mail_to": Key("", mail_address),
        "events": Key(list(EVENTS), words(*EVENTS)),
        "timeout_seconds": Key(30, seconds(0.1, 600)),
    },
    "certificates": {
        "passphrase_file": Key("", path),
        "authority_key": Key("rsa-3072", choice("rsa-3072", "rsa-4096", "ec-p256")),
        "host_key": Key("rsa-2048", choice("rsa-2048", "rsa-3072", "rsa-4096", "ec-p256")),
        "authority_days": Key(3650, whole(30, 36500)),
        "identity_days": Key(1826, whole(1, 36500)),
        "entitlement_days": Key(365, whole(1, 36500)),
        "renew_days": Key(30, whole(0, 3650)),
        "revocation_list_days": Key(7, whole(1, 365)),
        "content_url": Key("", url("http", "https")),
    },
    "manifests": {
        "unsigned": Key("refuse", choice(*UnsignedManifest)),
        "ca_file": Key("", path),
        "portal_ca_file": Key("", path),
    },
    "log": {"level": Key("info", choice("debug", "info", "warning", "error"))},
}
"""Table -> key -> what it is; the table "" is the top of the file."""


def default_document() -> dict[str, Any]:
    """Give the configuration file that says exactly the defaults."""
    document: dict[str, Any] = {name: key.default for name, key in KEYS[""].items()}
    document |= {table: {name: key.default for name, key in keys.items()} for table, keys in KEYS.items() if table}
    return document
