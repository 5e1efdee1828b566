"""A box with something to export, opened in this process, and what stock tools make of its bundles."""

import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from issbox.bundle.check import Limits
from issbox.bundle.verifying import VerificationReport, verify
from issbox.manifest import ScopeKind
from issbox.model import Actor, BundleForm, ContentExport, RepositoryKey
from issbox.progress import Silent
from issbox.wiring import open_context
from issbox.workflows.appliance import boxes
from issbox.workflows.content import catalog, repositories
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.context import Context
from issbox.workflows.exports import ExportPlan, ExportRequest, export, plan_export
from makers.boxes import PACKAGES, initialize_box
from makers.rpms import Extra, Repository, write_repository

KEY = RepositoryKey("acme", "tools", "base")
ACTOR = Actor("tester", "local")


def make_box(state: Path, *, configuration: str = "") -> Context:
    """Make a box with the organization acme, named after its state directory; the configuration lies beside it."""
    state.parent.mkdir(parents=True, exist_ok=True)
    config = state.with_suffix(".toml")
    config.write_text(configuration)
    environment = {"ISSBOX_STATE_DIR": str(state), "ISSBOX_CONFIG": str(config)}
    initialize_box(environment, state.name)
    return open_context(environ=environment, actor=ACTOR)


def make_sender(root: Path, *, ballast: int = 0, configuration: str = "") -> Context:
    """Make a box with the synchronized repository acme/tools/base; its metadata has so many bytes more."""
    ctx = make_box(root / "sender", configuration=configuration)
    catalog.create_product(ctx, organization="acme", label="tools", name="Tools")
    add_repository(ctx, root / "upstream", ballast=ballast)
    return ctx


def add_repository(
    ctx: Context, upstream: Path, label: str = "base", *, packages: int = 2, ballast: int = 0
) -> RepositoryKey:
    """Publish a repository at `upstream`, make acme/tools/LABEL of it and synchronize that."""
    publish(upstream, packages=packages, ballast=ballast)
    key = RepositoryKey("acme", "tools", label)
    repositories.create_repository(
        ctx, organization="acme", product="tools", label=label, name=label.title(), url=upstream.as_uri()
    )
    synchronize(ctx, key)
    return key


def publish(upstream: Path, *, packages: int = 2, ballast: int = 0, revision: str = "1") -> None:
    """Write a repository of real packages; the ballast is a metadata file of so many random bytes."""
    data = random.Random(ballast).randbytes(ballast)
    extras = [Extra("productid", "productid", data, compressed=False)] if ballast else []
    write_repository(Repository(upstream, PACKAGES[:packages], extras, revision=revision))


def plan(ctx: Context, **request: Any) -> ExportPlan:
    """Plan an export of Library."""
    return plan_export(ctx, ExportRequest(**{"organization": "acme", "scope": ScopeKind.LIBRARY, **request}))


def write(ctx: Context, output: Path, **request: Any) -> ContentExport:
    """Export Library."""
    output.mkdir(parents=True, exist_ok=True)
    return export(ctx, plan(ctx, **request), output)


def trusted(ctx: Context) -> Callable[[str], str | None]:
    """Give the function that knows the key of this box only."""
    key = boxes.signing_key(ctx)
    return {key.key_id: key.public_pem}.get


def check_directory(ctx: Context, volume: Path) -> VerificationReport:
    """Verify a directory that holds a bundle, or a volume of one, completely."""
    return verify(volume, trusted(ctx), Limits(), Silent())


def files_below(root: Path) -> dict[str, bytes]:
    """Give the bytes of every file by its relative path."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def content_below(root: Path) -> dict[str, bytes]:
    """Give the files but those that name the bundle itself: the yum trees."""
    return {path: data for path, data in files_below(root).items() if "/" in path}


def extract_image(image: Path, into: Path, *, tool: str = "xorriso") -> Path:
    """Extract an image with a stock tool."""
    into.mkdir(parents=True)
    commands: dict[str, list[str | Path]] = {
        "xorriso": ["xorriso", "-osirrox", "on", "-indev", image, "-extract", "/", into],
        "bsdtar": ["bsdtar", "-C", into, "-xf", image],
        "7z": ["7z", "x", f"-o{into}", image],
    }
    subprocess.run(commands[tool], check=True, capture_output=True)
    subprocess.run(["chmod", "-R", "u+w", into], check=True)
    return into


def extract_archive(folder: Path, into: Path, form: BundleForm, *, tool: str = "tar") -> Path:
    """Extract an archive, or its chunks put together by the shell, with a stock tool."""
    into.mkdir(parents=True)
    line = f'cat "$0"/*.{form.value}* | "$1" -C "$2" -x{"z" if form is BundleForm.TGZ else ""}f -'
    subprocess.run(["bash", "-o", "pipefail", "-c", line, folder, tool, into], check=True, capture_output=True)
    return into
