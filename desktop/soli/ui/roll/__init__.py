"""The piano roll over the spectrogram."""
