"""Parse Markdown into lines and blocks, with their offsets in the file."""
