"""What git servers, remotes and pushes are called, and what their answers mean."""
