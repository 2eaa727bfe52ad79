"""What `dashboard` shows: the landscape, the timeline and the notes of releases."""
