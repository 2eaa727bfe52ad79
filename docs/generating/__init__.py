"""Makes the reference from the code: one module a page, and what the pages are made of."""
