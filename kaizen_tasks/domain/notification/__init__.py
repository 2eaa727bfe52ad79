"""Messages to the team: what happened, who is told, and what each message says."""
