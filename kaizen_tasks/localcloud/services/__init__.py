"""What the platforms that run services share: public ports, background threads, and the values of secrets."""
