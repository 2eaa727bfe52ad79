"""Who may do what: policies, sessions of roles, and the ways to begin one."""
