"""From what an app's folder shows to a configuration: everything here is a function of texts and values."""
