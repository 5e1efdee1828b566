"""What the .repo files of hosts say."""

from configparser import RawConfigParser
from dataclasses import replace

from issbox.model import CertifiedContent
from issbox.rules.entitlements.repo_files import HostContent, yum_file, zypper_file

BASE = CertifiedContent("1", "tools_base", "Tools", "/acme/dev/custom/tools/$releasever/os", gpg_url="/acme/gpg-keys/k")
BOX = "https://box:8443/content"
OPTIONS = (
    "ssl_clientcert=/etc/pki/issbox/entitlement-1.pem&ssl_clientkey=/etc/pki/issbox/key.pem&ssl_capath=/etc/pki/issbox/"
)


def read(text: str) -> RawConfigParser:
    found = RawConfigParser(interpolation=None)
    found.read_string(text)
    return found


def host_content(content: CertifiedContent = BASE, **overrides: str) -> HostContent:
    return HostContent(content, "entitlement-1.pem", overrides)


def test_dnf_is_told_of_files_and_checks_packages_that_have_a_key() -> None:
    section = read(yum_file([host_content()], BOX, "9"))["tools_base"]
    assert section["baseurl"] == "https://box:8443/content/acme/dev/custom/tools/9/os"
    assert section["gpgkey"] == "https://box:8443/content/acme/gpg-keys/k"
    assert (section["gpgcheck"], section["sslcacert"]) == ("1", "/etc/pki/issbox/ca.pem")
    assert (section["sslclientcert"], section["sslclientkey"]) == (
        "/etc/pki/issbox/entitlement-1.pem",
        "/etc/pki/issbox/key.pem",
    )


def test_zypper_is_told_of_files_in_addresses_and_checks_packages_only() -> None:
    section = read(zypper_file([host_content()], BOX, ""))["tools_base"]
    assert section["baseurl"] == f"https://box:8443/content/acme/dev/custom/tools/$releasever/os?{OPTIONS}"
    assert section["gpgkey"] == f"https://box:8443/content/acme/gpg-keys/k?{OPTIONS}"
    checks = [section[name] for name in ("gpgcheck", "repo_gpgcheck", "pkg_gpgcheck", "autorefresh")]
    assert checks == ["0", "0", "1", "1"]
    keyless = read(zypper_file([host_content(replace(BASE, gpg_url=""))], BOX, ""))["tools_base"]
    assert (keyless["pkg_gpgcheck"], "gpgkey" in keyless) == ("0", False)


def test_overrides_count_for_zypper_as_far_as_it_knows_them() -> None:
    each = host_content(enabled="0", priority="10", gpgcheck="0", module_hotfixes="1", baseurl="https://a/b?c=d")
    section = read(zypper_file([each], BOX, ""))["tools_base"]
    assert [section[name] for name in ("enabled", "priority", "pkg_gpgcheck", "gpgcheck")] == ["0", "10", "0", "0"]
    assert section["baseurl"] == f"https://a/b?c=d&{OPTIONS}"
    assert "module_hotfixes" not in section
    assert read(yum_file([each], BOX, ""))["tools_base"]["module_hotfixes"] == "1"


def test_no_override_adds_a_line_and_what_is_not_https_shows_no_certificate() -> None:
    each = host_content(replace(BASE, path="http://elsewhere/repo"), name="a\nenabled=0")
    assert read(zypper_file([each], BOX, ""))["tools_base"]["enabled"] == "1"
    assert read(zypper_file([each], BOX, ""))["tools_base"]["baseurl"] == "http://elsewhere/repo"
    assert read(yum_file([each], BOX, ""))["tools_base"]["enabled"] == "1"
