"""Bundles: manifest, signature, and one reader and writer for each form."""
