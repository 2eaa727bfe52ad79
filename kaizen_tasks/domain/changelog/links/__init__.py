"""Links of a changelog: compare URLs, link definitions, relative links."""
