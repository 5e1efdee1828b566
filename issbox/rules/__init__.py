"""Pure functions over the words: no files, sockets, database, clock or randomness."""
