"""The forms that a bundle can be written in: how its volumes are laid out, what they weigh, and who writes them."""

from issbox.model import BundleForm
from issbox.workflows.exports.forms.archive import ArchiveForm
from issbox.workflows.exports.forms.directory import DirectoryForm
from issbox.workflows.exports.forms.form import Form, Job, Style

__all__ = ["ArchiveForm", "Form", "Job", "Style", "form_of"]


def form_of(style: Style) -> Form:
    """Give the form that writes in this style."""
    if style.form is BundleForm.ISO:
        from issbox.workflows.exports.forms.image import ImageForm

        return ImageForm(style)
    if style.form is BundleForm.DIRECTORY:
        return DirectoryForm(style)
    return ArchiveForm(style)
