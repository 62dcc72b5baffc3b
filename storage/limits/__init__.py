"""What the processes on one database hold of limits that they share, and whose turn it is in a channel.

How a limit is divided is bot/limits; what the limits are is known to those who ask for the rest.
"""
