"""A changelog's sections as Markdown, JSON and HTML."""
