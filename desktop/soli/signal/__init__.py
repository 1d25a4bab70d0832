"""Sound as arrays: files, sample rates, spectrograms."""
