"""Taking bundles in: previewing, checking, staging, publishing, reporting, and taking an import back."""
