"""Layer strips and meters."""
