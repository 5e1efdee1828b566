"""The store: tables, migrations, queries by noun, blobs and published trees."""
