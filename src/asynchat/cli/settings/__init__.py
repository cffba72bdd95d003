"""Settings as the command line handles them: what may stand in a file, where each comes from, how they are written."""
