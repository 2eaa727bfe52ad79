"""Facts in the workflows of GitHub Actions."""
