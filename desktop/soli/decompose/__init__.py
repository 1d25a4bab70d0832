"""The mathematics: templates, constraints, factorisation, masks. NumPy and SciPy only."""
