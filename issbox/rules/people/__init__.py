"""Rules about people: permissions, passwords, and how they come in over SSH."""
