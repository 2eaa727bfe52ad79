"""What the commands and variables of shell scripts and Makefiles say."""
