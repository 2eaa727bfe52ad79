"""The program `kaizen`, and what it adds to Invoke's own: lists, help, completion, corrections."""
