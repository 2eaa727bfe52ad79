"""The generated pages: each module renders one, from the code that it describes."""
