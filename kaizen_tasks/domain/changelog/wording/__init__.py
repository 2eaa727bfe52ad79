"""The words of changelogs: translated names, and texts that say that a change is breaking, or that there is none."""
