"""Pages that are made from the commands and settings: the manual, as a page and as a man page, and the settings."""
