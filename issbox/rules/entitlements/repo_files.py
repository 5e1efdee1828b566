"""What the .repo files of hosts say: one for dnf and yum, one for zypper.

zypper is told of certificates by a query in the address, of authorities by a directory, and checks metadata and
packages by settings of their own; dnf's `gpgcheck` is of packages only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from issbox.model import CertifiedContent
from issbox.rules.entitlements.paths import is_uri

DIRECTORY: Final = "/etc/pki/issbox"
"""Where the .repo files say that hosts have the other files."""
_ZYPPER_OVERRIDES: Final = {"name": "name", "enabled": "enabled", "priority": "priority", "gpgcheck": "pkg_gpgcheck"}
"""Overrides that mean something to zypper, and what it calls them."""


@dataclass(frozen=True, slots=True)
class HostContent:
    """A content as one host reads it."""

    content: CertifiedContent
    certificate: str
    """Name of the file that opens it."""
    overrides: Mapping[str, str]
    """Of the fields of its section, by their names in yum."""


def yum_file(contents: Iterable[HostContent], address: str, release: str) -> str:
    """Give the .repo file for dnf and yum.

    `address` is where the box has content, without a slash at its end; `release`, when set, stands for `$releasever`.
    """
    return "\n".join(_section(each.content.label, _for_yum(each, address, release)) for each in contents)


def zypper_file(contents: Iterable[HostContent], address: str, release: str) -> str:
    """Give the .repo file for zypper, made of what `yum_file` is given."""
    return "\n".join(_section(each.content.label, _for_zypper(each, address, release)) for each in contents)


def _for_yum(each: HostContent, address: str, release: str) -> dict[str, str]:
    content = each.content
    return {
        "name": content.name,
        "baseurl": _baseurl(content, address, release),
        "enabled": str(int(content.enabled)),
        "gpgcheck": str(int(bool(content.gpg_url))),
        **({"gpgkey": _address(content.gpg_url, address)} if content.gpg_url else {}),
        "sslverify": "1",
        "sslcacert": f"{DIRECTORY}/ca.pem",
        "sslclientcert": f"{DIRECTORY}/{each.certificate}",
        "sslclientkey": f"{DIRECTORY}/key.pem",
        **each.overrides,
    }


def _for_zypper(each: HostContent, address: str, release: str) -> dict[str, str]:
    content, overrides = each.content, each.overrides
    options = {
        "ssl_clientcert": f"{DIRECTORY}/{each.certificate}",
        "ssl_clientkey": f"{DIRECTORY}/key.pem",
        "ssl_capath": f"{DIRECTORY}/",
    }
    return {
        "name": content.name,
        "baseurl": _with_options(overrides.get("baseurl", _baseurl(content, address, release)), options),
        "type": "rpm-md",
        "enabled": str(int(content.enabled)),
        "autorefresh": "1",
        "gpgcheck": "0",
        "repo_gpgcheck": "0",
        "pkg_gpgcheck": str(int(bool(content.gpg_url))),
        **({"gpgkey": _with_options(_address(content.gpg_url, address), options)} if content.gpg_url else {}),
        **{_ZYPPER_OVERRIDES[name]: value for name, value in overrides.items() if name in _ZYPPER_OVERRIDES},
    }


def _section(label: str, values: Mapping[str, str]) -> str:
    lines = [f"[{label}]", *(f"{key}={value}" for key, value in values.items())]
    return "\n".join(line.replace("\n", " ") for line in lines) + "\n"


def _baseurl(content: CertifiedContent, address: str, release: str) -> str:
    found = _address(content.path, address)
    return found.replace("$releasever", release) if release else found


def _address(path: str, address: str) -> str:
    return path if is_uri(path) else f"{address}{path}"


def _with_options(url: str, options: Mapping[str, str]) -> str:
    """Put options for the client into the query of an address over HTTPS; others have none."""
    if not url.startswith("https://"):
        return url
    query = "&".join(f"{name}={quote(value, safe='/')}" for name, value in options.items())
    return f"{url}{'&' if '?' in url else '?'}{query}"
