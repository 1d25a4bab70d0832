"""What the user owns: document, edits, pipeline, files."""
