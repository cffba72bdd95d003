"""A person's terminal: the desk with all that is open on it, and its faces, with and without line editing."""
