"""Soli: hear any notes of a recording on their own."""
