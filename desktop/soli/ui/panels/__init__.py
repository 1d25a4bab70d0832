"""Panels beside the roll."""
