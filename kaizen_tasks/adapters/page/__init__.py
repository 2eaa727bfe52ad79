"""The dashboard as a page: Jinja2 templates, a style sheet and a script in one file that requests nothing."""
