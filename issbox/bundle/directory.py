"""The directory form of a bundle: its reader and its writer."""

from issbox.bundle.directory_reader import DirectoryReader
from issbox.bundle.directory_writer import DirectoryWriter

__all__ = ["DirectoryReader", "DirectoryWriter"]
