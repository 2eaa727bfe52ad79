"""Pure values and decisions: no disk, no clock, no network, no flags."""
