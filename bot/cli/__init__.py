"""The `parley` command: one file for each word, loaded when it is asked for.

main.py is the entrance and names them all; `serve` and `check` are in handlers, because they know Slack. A
command prints; what it prints is worked out in the room it is about.
"""
