"""Every setting, declared once: the TOML file, the options, the environment and the docs derive from it.

A client has no use for the settings of a server, and its start is a feature: each has a module of its own.
"""
