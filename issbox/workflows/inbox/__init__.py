"""The inbox: what lies there, in which order it is taken in, who lets it in, and where it goes afterwards."""
