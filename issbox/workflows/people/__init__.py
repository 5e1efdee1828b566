"""People and programs that use this box: who they are, how they prove it, and the record of what they did."""
