"""Targets of messages: signed webhooks, Slack and its like, and whatever Apprise knows."""
