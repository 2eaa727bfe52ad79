"""Links of a changelog: compare URLs, reference definitions, their style."""
