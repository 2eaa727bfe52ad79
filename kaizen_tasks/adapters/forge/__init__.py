"""GitHub and GitLab: their pull or merge requests, and the release pages of tags."""
