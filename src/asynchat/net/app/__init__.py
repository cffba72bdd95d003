"""The server as a library: what an application that runs it says, reads and decides from its own code."""
