"""The box itself: identity, health, upkeep, backups, and how it is served."""
