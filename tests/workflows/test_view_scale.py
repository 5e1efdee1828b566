"""Filtering a repository of the size of a distribution, in little memory. Peak is read in a process of its own."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest
from makers.boxes import ACTOR, initialize_box
from makers.repodata import Listed, digest, record_xml, repomd_xml, write

from issbox.model import PackageRule, RepositoryKey, ViewFilter
from issbox.wiring import open_context
from issbox.workflows.content import catalog, repositories, views
from issbox.workflows.content.synchronize import synchronize

PACKAGES = 20_000
LIMIT_MIB = 300
KEY = RepositoryKey("acme", "tools", "base")

_RUN = """
from issbox.wiring import open_context
from issbox.workflows.content.view_publishing import publish_view
version = publish_view(open_context(), "acme", "servers")
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(version.repositories[0].packages, int(peak) // 1024)
"""


def write_large_repository(root: Path) -> None:
    """Write 20,000 tiny packages with metadata as large as that of real ones, and an advisory for every other one."""
    relations = "".join(
        f'<rpm:entry name="libsample{each}.so.1()(64bit)" flags="EQ" ver="1.{each}"/>' for each in range(14)
    )
    form = f"<format><rpm:provides>{relations}</rpm:provides><rpm:requires>{relations}</rpm:requires></format>"
    primary, filelists, other, advisories = [], [], [], []
    for number in range(PACKAGES):
        name, content = f"sample-{number}", b"%d" % number
        listed = Listed(f"Packages/{number % 26}/{name}-1.0-1.noarch.rpm", content, name)
        write(root, listed.href, listed.content)
        primary.append(listed.xml().replace("<format/>", form))
        head = f'<package pkgid="{digest("sha256", content)}" name="{name}" arch="noarch">'
        head += '<version epoch="0" ver="1.0" rel="1"/>'
        listing = "".join(f"<file>/usr/share/{name}/file-{each}</file>" for each in range(40))
        filelists.append(f"{head}{listing}</package>\n")
        change = (
            '<changelog author="A &lt;a@example.com&gt; - 1" date="1500000000">- something was changed here</changelog>'
        )
        other.append(f"{head}{change * 10}</package>\n")
        if number % 2 == 0:
            package = f'<package name="{name}" epoch="0" version="1.0" release="1" arch="noarch"/>'
            about = f"<id>S-{number}</id><title>An update</title><description>{'words ' * 80}</description>"
            advisories.append(
                f'<update type="bugfix">{about}<pkglist><collection>{package}</collection></pkglist></update>\n'
            )
    namespaces = ' xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm"'
    files = {
        "primary": f'<metadata{namespaces} packages="{PACKAGES}">{"".join(primary)}</metadata>',
        "filelists": f'<filelists packages="{PACKAGES}">{"".join(filelists)}</filelists>',
        "other": f'<otherdata packages="{PACKAGES}">{"".join(other)}</otherdata>',
        "updateinfo": f"<updates>{''.join(advisories)}</updates>",
    }
    records = []
    for type_, text in files.items():
        data = gzip.compress(text.encode(), 1)
        href = f"repodata/{digest('sha256', data)}-{type_}.xml.gz"
        write(root, href, data)
        records.append(record_xml(type_, href, data))
    write(root, "repodata/repomd.xml", repomd_xml(*records))


@pytest.mark.slow
def test_filtering_twenty_thousand_packages_needs_little_memory(tmp_path: Path) -> None:
    root = tmp_path / "upstream"
    write_large_repository(root)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ISSBOX_")}
    environment |= {"ISSBOX_STATE_DIR": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "nothing")}
    initialize_box(environment, "Box")
    ctx = open_context(environ=environment, actor=ACTOR)
    catalog.create_product(ctx, organization="acme", label="tools", name="Tools")
    repositories.create_repository(
        ctx, organization="acme", product="tools", label="base", name="Base", url=root.as_uri()
    )
    synchronize(ctx, KEY)
    views.create_view(ctx, organization="acme", label="servers", name="Servers")
    views.add_repository(ctx, "acme", "servers", KEY)
    half = ViewFilter(
        "half", False, PackageRule(tuple(f"sample-*{digit}" for digit in (1, 3, 5, 7, 8))), without_errata=True
    )
    views.create_filter(ctx, "acme", "servers", half)
    done = subprocess.run([sys.executable, "-c", _RUN], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    packages, peak = map(int, done.stdout.split())
    assert packages == PACKAGES * 4 // 10
    assert peak < LIMIT_MIB
