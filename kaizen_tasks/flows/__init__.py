"""Flows, the steps that they consist of, and what runs them; `catalogue` lists every flow as its steps."""
