"""What Katello reads and writes: metadata.json of our bundles, and the exports that a real Katello makes."""

from issbox.bundle.katello.metadata import METADATA_NAME, Form, KatelloMetadata, read_metadata
from issbox.bundle.katello.writing import katello_metadata

__all__ = ["METADATA_NAME", "Form", "KatelloMetadata", "katello_metadata", "read_metadata"]
