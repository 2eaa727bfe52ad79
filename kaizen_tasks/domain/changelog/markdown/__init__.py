"""Lines and blocks of Markdown, with their offsets in the file."""
