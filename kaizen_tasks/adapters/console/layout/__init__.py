"""How text and tables are laid out in the columns that there are."""
