"""Keeping, forgetting, exporting, and the list of who changed or looked at what.

retention.py erases what is old enough, anonymise.py takes names out of amounts, access_log.py and
settings_log.py write the audit list. The statements over all tables are storage/privacy.
"""
