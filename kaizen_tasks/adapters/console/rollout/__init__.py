"""How a release to several environments is shown: their progress, its table, and the lines of large ones."""
