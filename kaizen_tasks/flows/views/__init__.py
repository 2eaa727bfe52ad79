"""What people and programs look at: status, history, metrics and the dashboard; nothing is changed."""
