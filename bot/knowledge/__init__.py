"""Answers from given passages alone, with every quote checked.

answering.py is the entrance. Where passages come from is not decided here; today a channel's owner types them
into its settings.
"""
