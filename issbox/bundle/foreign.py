"""Names that operating systems leave at the root of media and shares; a reader passes over them."""

FOREIGN_NAMES = frozenset(
    {
        ".DS_Store",
        ".Spotlight-V100",
        ".Trashes",
        ".fseventsd",
        "$RECYCLE.BIN",
        "System Volume Information",
        "lost+found",
    }
)
FOREIGN_PREFIXES = ("._", ".Trash-")


def is_foreign(name: str) -> bool:
    """Tell whether a file or directory of this name, directly in the bundle, is tolerated though nothing lists it."""
    return name in FOREIGN_NAMES or name.startswith(FOREIGN_PREFIXES)
