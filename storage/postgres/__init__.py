"""The PostgreSQL engine: any number of processes on one database, errors mapped to ours.

engine.py is the entrance. No table of people's words is known here; psycopg and procrastinate are known only
here.
"""
