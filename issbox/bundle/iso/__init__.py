"""The ISO form of a volume: what an image will measure (layout), its writer (writing) and its reader (reading)."""
