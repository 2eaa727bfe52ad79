"""Messages to the team: who is told of what is recorded, and how that is sent beside the work of a command."""
