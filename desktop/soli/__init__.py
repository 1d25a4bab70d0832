"""Soli: hear any notes of a recording on their own."""

__version__ = "0.1.0"
