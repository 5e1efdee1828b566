"""Numbered steps of the schema, frozen once released."""
