"""The app's repository and its remote, through git."""
