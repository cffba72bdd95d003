"""The dialogue with people and programs that have no chat protocol: a name first, then lines and /commands.

The line and the frame wire share it; they differ in how it is cut into bytes.
"""
