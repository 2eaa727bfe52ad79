"""One deployment: start or adopt it, wait for it, probe the app, report why it failed."""
