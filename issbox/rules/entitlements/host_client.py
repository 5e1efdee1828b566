"""What sets a host up that has no subscription-manager: a shell script, and the parts of a package that holds it.

The script needs curl and tar. It fetches everything as one archive, so that it has to understand nothing of it.
"""

import re
import shlex
from dataclasses import dataclass
from typing import Final

from issbox.errors import InvalidValueError

_URL: Final = re.compile(r"https://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class HostClient:
    """What a script is made for."""

    server: str
    """Address of the box, such as `https://box.example.com:8443`."""
    organization: str
    authorities: str
    """Certificates in PEM by which the host knows the box."""
    activation_keys: tuple[str, ...] = ()
    """Used unless the script is told others."""


def check_server(url: str) -> str:
    """Give the address of a box without a slash at its end; raises InvalidValueError for anything else."""
    found = url.rstrip("/")
    if not _URL.fullmatch(found):
        raise InvalidValueError(f"{url[:200]!r} is not the address of a box: it is https://, a name, and maybe a port")
    return found


def host_script(client: HostClient) -> str:
    """Give the script."""
    return (
        _SCRIPT.replace("@SERVER@", shlex.quote(client.server))
        .replace("@ORGANIZATION@", shlex.quote(client.organization))
        .replace("@KEYS@", shlex.quote(",".join(client.activation_keys)))
        .replace("@AUTHORITIES@", client.authorities.strip())
    )


def package_name(client: HostClient) -> str:
    """Give the name of the package: one for each organization."""
    return f"issbox-host-{client.organization.lower().replace('_', '-')}"


def package_spec(client: HostClient, release: str) -> str:
    """Give the spec file; `release` has to grow with each package, so that a new one replaces an old one."""
    register = _REGISTER if client.activation_keys else ""
    return (
        _SPEC.replace("@NAME@", package_name(client))
        .replace("@RELEASE@", release)
        .replace("@ORGANIZATION@", client.organization)
        .replace("@REGISTER@", register)
    )


SERVICE: Final = """\
[Unit]
Description=Fetch certificates and repositories from the box
Wants=network-online.target
After=network-online.target
ConditionPathExists=/etc/pki/issbox/identity.pem

[Service]
Type=oneshot
ExecStart=/usr/sbin/issbox-host refresh
"""

TIMER: Final = """\
[Unit]
Description=Fetch certificates and repositories from the box every four hours

[Timer]
OnBootSec=5min
OnUnitActiveSec=4h
RandomizedDelaySec=30min

[Install]
WantedBy=timers.target
"""

_SCRIPT: Final = r"""#!/bin/sh
# Sets this host up for the content of a box (issbox), and keeps its certificates and repositories up to date.
#
#   issbox-host register [--activation-key KEY[,KEY...]] [--user NAME] [--name NAME]
#   issbox-host refresh      fetch certificates and repositories again, as after a promotion
#   issbox-host status       say whether the box knows this host
#   issbox-host unregister   leave the box, and delete what was fetched
#
# With --user, curl asks for the password. Needs curl and tar.
set -eu
umask 022

server=@SERVER@
organization=@ORGANIZATION@
keys=@KEYS@
root=${ISSBOX_HOST_ROOT:-}
pki=$root/etc/pki/issbox
yum=$root/etc/yum.repos.d
zypper=$root/etc/zypp/repos.d
repositories=$yum/issbox.repo
places=

fail() {
    echo "issbox-host: $*" >&2
    exit 1
}

usage() {
    fail "usage: register [--activation-key KEY] [--user NAME] [--name NAME], refresh, status, or unregister"
}

fetch() { # METHOD PATH [OPTION OF CURL...]: the answer goes to $work/answer
    method=$1
    path=$2
    shift 2
    status=$(curl --silent --show-error --cacert "$work/ca.pem" --connect-timeout 20 --max-time 300 \
        --output "$work/answer" --write-out '%{http_code}' --request "$method" "$@" "$server/rhsm$path") ||
        fail "the box $server cannot be asked (see above)"
    case $status in
        2*) return ;;
    esac
    why=$(sed -n 's/.*"displayMessage":"\([^"]*\)".*/\1/p' "$work/answer" | cut -c 1-500)
    case $status in
        410) fail "this host was deleted at the box: run unregister here, then register" ;;
        *) fail "the box answered $status: ${why:-nothing more}" ;;
    esac
}

as_host() { # METHOD PATH [OPTION OF CURL...]
    method=$1
    path=$2
    shift 2
    fetch "$method" "$path" --cert "$pki/identity.pem" --key "$pki/key.pem" "$@"
}

known() { # The UUID of this host.
    [ -s "$pki/uuid" ] && [ -s "$pki/identity.pem" ] || fail "this host is not registered: run register first"
    uuid=$(cat "$pki/uuid")
}

place_repositories() { # FILE DIRECTORY: as issbox.repo, whole or not at all.
    [ -f "$work/new/$1" ] || return 0
    mkdir -p "$2"
    sed "s|=/etc/pki/issbox/|=$pki/|g" "$work/new/$1" >"$2/.issbox.repo.new"
    mv -f "$2/.issbox.repo.new" "$2/issbox.repo"
    repositories=$2/issbox.repo
    places="$places $repositories"
}

place() { # Put what was fetched where it belongs; the repositories last, when everything that they name is there.
    rm -rf "$work/new"
    mkdir "$work/new"
    tar -x -f "$work/answer" -C "$work/new" || fail "the answer of the box is damaged"
    [ -s "$work/new/uuid" ] && [ -f "$work/new/issbox.repo" ] || fail "the answer of the box is not complete"
    mkdir -p "$pki"
    for file in key.pem ca.pem "$work"/new/*.[0-9] "$work"/new/entitlement-*.pem identity.pem uuid; do
        name=${file##*/}
        [ -f "$work/new/$name" ] || continue
        mode=644
        [ "$name" != key.pem ] || mode=600
        (umask 077 && cp "$work/new/$name" "$pki/.$name.new")
        chmod "$mode" "$pki/.$name.new"
        mv -f "$pki/.$name.new" "$pki/$name"
    done
    if [ ! -d "$root/etc/zypp" ] || [ -d "$yum" ]; then
        place_repositories issbox.repo "$yum"
    fi
    if [ -d "$root/etc/zypp" ]; then
        place_repositories zypper.repo "$zypper"
    fi
    for file in "$pki"/entitlement-*.pem "$pki"/*.[0-9]; do
        [ -f "$work/new/${file##*/}" ] || rm -f "$file"
    done
}

register() {
    name=$(uname -n)
    user=
    while [ $# -gt 0 ]; do
        [ $# -gt 1 ] || usage
        case $1 in
            --activation-key) keys=$2 ;;
            --user) user=$2 ;;
            --name) name=$2 ;;
            *) usage ;;
        esac
        shift 2
    done
    case $name in
        '' | *[!A-Za-z0-9._-]*) fail "the name '$name' has other characters than letters, digits, '.', '_' and '-'" ;;
    esac
    case $keys in
        *[!A-Za-z0-9_,-]*) fail "'$keys' is no activation key" ;;
    esac
    [ ! -s "$pki/identity.pem" ] || fail "this host is registered as $(cat "$pki/uuid"): run unregister first"
    [ -n "$keys$user" ] || fail "give --activation-key or --user"
    machine=$(uname -m)
    printf '{"name":"%s","facts":{"system.certificate_version":"3.2","uname.machine":"%s"}}' "$name" "$machine" \
        >"$work/body"
    query="owner=$organization"
    if [ -n "$user" ]; then
        set -- --user "$user"
    else
        query="$query&activation_keys=$keys"
        set --
    fi
    fetch POST "/consumers?$query" "$@" --header 'Accept: application/x-tar' \
        --header 'Content-Type: application/json' --data-binary "@$work/body"
    place
    echo "This host is registered as $(cat "$pki/uuid"); its repositories are in$places."
}

refresh() {
    known
    as_host GET "/consumers/$uuid/files"
    place
    case $(grep -c '^\[' "$repositories" || true) in
        1) echo "1 repository of $server." ;;
        *) echo "$(grep -c '^\[' "$repositories" || true) repositories of $server." ;;
    esac
}

unregister() {
    known
    status=0
    (as_host DELETE "/consumers/$uuid") || status=$?
    if [ "$status" -ne 0 ]; then
        (fetch GET /status) || fail "nothing was deleted: the box has to be asked first"
        echo "issbox-host: the box does not know this host as it is here; what was fetched is deleted" >&2
    fi
    rm -f "$yum/issbox.repo" "$zypper/issbox.repo" "$pki"/entitlement-*.pem "$pki"/*.[0-9] "$pki/identity.pem" \
        "$pki/key.pem" "$pki/ca.pem" "$pki/uuid"
    echo "This host has left the box."
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
chmod 700 "$work"
cat >"$work/ca.pem" <<'END_OF_AUTHORITIES'
@AUTHORITIES@
END_OF_AUTHORITIES
[ ! -s "$pki/ca.pem" ] || cat "$pki/ca.pem" >>"$work/ca.pem"

command=${1:-}
[ $# -eq 0 ] || shift
case $command in
    register) register "$@" ;;
    refresh) refresh ;;
    status)
        known
        as_host GET "/consumers/$uuid/exists"
        echo "This host is registered as $uuid at $server."
        ;;
    unregister) unregister ;;
    *) usage ;;
esac
"""

_REGISTER: Final = """\
if [ ! -s /etc/pki/issbox/identity.pem ]; then
    /usr/sbin/issbox-host register || echo "Run issbox-host register again when the box can be reached." >&2
fi
"""

_SPEC: Final = """\
Name: @NAME@
Version: 1
Release: @RELEASE@
Summary: Sets a host up for the content of an issbox of @ORGANIZATION@
License: MIT
BuildArch: noarch
AutoReqProv: no
Requires: /bin/sh
Requires: curl
Requires: tar
Conflicts: issbox-host
Provides: issbox-host

%description
Registers this host with its box, and keeps its certificates and repositories up to date.

%install
install -D -m 0755 %{_sourcedir}/issbox-host %{buildroot}/usr/sbin/issbox-host
install -D -m 0644 %{_sourcedir}/issbox-host.service %{buildroot}/usr/lib/systemd/system/issbox-host.service
install -D -m 0644 %{_sourcedir}/issbox-host.timer %{buildroot}/usr/lib/systemd/system/issbox-host.timer

%files
/usr/sbin/issbox-host
/usr/lib/systemd/system/issbox-host.service
/usr/lib/systemd/system/issbox-host.timer

%post
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || :
    systemctl enable --now issbox-host.timer || :
fi
@REGISTER@exit 0

%preun
if [ "$1" -eq 0 ]; then
    [ ! -d /run/systemd/system ] || systemctl disable --now issbox-host.timer || :
    [ ! -s /etc/pki/issbox/identity.pem ] || /usr/sbin/issbox-host unregister || :
fi
exit 0
"""
