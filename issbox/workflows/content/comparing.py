"""Comparing repository versions: packages, advisories and CVEs that come and go."""

from collections.abc import Iterator, Mapping

from issbox.model import Advisory, Package, RepositoryKey
from issbox.rules.content.comparing import ContentDifference, compare_sorted
from issbox.workflows.content.package_order import sorted_by_name
from issbox.workflows.context import Context, Permission
from issbox.yum.repomd import REPOMD_PATH, parse_repomd
from issbox.yum.updateinfo import merge_advisories, read_updateinfo


def compare_versions(
    ctx: Context, key_a: RepositoryKey, number_a: int | None, key_b: RepositoryKey, number_b: int | None
) -> ContentDifference:
    """Say what the second version has that the first has not, and the other way round; None is no content at all.

    Raises NotFoundError for a version that is not there, BadMetadataError for advisories that cannot be read.
    """
    for key in {key_a, key_b}:
        ctx.require(Permission.CONTENT_READ, key.organization, [key.product])
    with ctx.store.session():
        return difference(ctx, key_a, number_a, key_b, number_b)


def difference(
    ctx: Context, key_a: RepositoryKey, number_a: int | None, key_b: RepositoryKey, number_b: int | None
) -> ContentDifference:
    """Do what `compare_versions` does, in a session, for a use case that has asked for its own permission."""
    if (key_a, number_a) == (key_b, number_b):
        return ContentDifference()
    before, after = updateinfo_of(ctx, key_a, number_a), updateinfo_of(ctx, key_b, number_b)
    if before.keys() == after.keys():  # the same advisories need not be read
        before, after = {}, {}
    with ctx.store.scratch() as scratch:
        return compare_sorted(
            sorted_by_name(packages_of(ctx, key_a, number_a), scratch),
            sorted_by_name(packages_of(ctx, key_b, number_b), scratch),
            read_advisories(ctx, before),
            read_advisories(ctx, after),
        )


def packages_of(ctx: Context, key: RepositoryKey, number: int | None) -> Iterator[Package]:
    """Give the packages of a version, in a session; nothing for None. Raises NotFoundError."""
    files = ctx.store.versions.files(key, number) if number is not None else ()
    return (file.package for file in files if file.package is not None)


def updateinfo_of(ctx: Context, key: RepositoryKey, number: int | None) -> dict[str, str]:
    """Give SHA-256 and path of each updateinfo file of a version, in a session, without reading its packages.

    It is one as a rule, more where repositories lie inside a kickstart tree; nothing for None. Raises NotFoundError.
    """
    if number is None:
        return {}
    return _updateinfo(ctx, {file.path: file.sha256 for file in ctx.store.versions.files(key, number, packages=False)})


def _updateinfo(ctx: Context, metadata: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path, sha256 in metadata.items():
        if path == REPOMD_PATH or path.endswith(f"/{REPOMD_PATH}"):
            with ctx.store.blobs.open(sha256) as source:
                repomd = parse_repomd(source.read())
            prefix = path.removesuffix(REPOMD_PATH)
            found.update(
                (metadata[prefix + record.href], prefix + record.href)
                for record in repomd.records
                if record.type == "updateinfo" and prefix + record.href in metadata
            )
    return found


def read_advisories(ctx: Context, updateinfo: Mapping[str, str]) -> dict[str, Advisory]:
    """Give the advisories of stored updateinfo files, by id; raises BadMetadataError."""

    def read() -> Iterator[Advisory]:
        for sha256, name in updateinfo.items():
            path = ctx.store.blobs.path(sha256)
            yield from read_updateinfo(path, ctx.settings.synchronize.max_metadata_size, name=name)

    return merge_advisories(read())
