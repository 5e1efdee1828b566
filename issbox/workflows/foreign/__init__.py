"""Taking in what other systems export: yum trees and Pulp archives of a Katello."""

from issbox.workflows.foreign.importing import import_foreign
from issbox.workflows.foreign.recognition import foreign_hint, foreign_progress, is_foreign

__all__ = ["foreign_hint", "foreign_progress", "import_foreign", "is_foreign"]
