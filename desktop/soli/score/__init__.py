"""Notes in time: the score, its file format and its alignment to a recording."""
