"""Steps, and flows as lists of steps; a flow file reads like a table of contents."""
