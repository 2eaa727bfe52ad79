"""What a terminal or a log shows: the reporter, progress of a rollout, live status, tables."""
