"""Commands in the app's image: before a deployment, and by hand."""
