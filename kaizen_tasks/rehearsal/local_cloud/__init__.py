"""The processes of local clouds: started, found, stopped, and what they were asked."""
