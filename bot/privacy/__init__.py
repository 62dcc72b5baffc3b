"""Keeping, forgetting, exporting, and the list of who changed or looked at what.

forgetting.py is the entrance for people, retention.py for what is old enough to go. portions.py lets much of
it go without anybody waiting; anonymise.py takes names out of amounts; access_log.py and settings_log.py
write the audit list; page.py is what an operator publishes, notices.py what an operator is told. The
statements over all tables are storage/privacy.
"""
