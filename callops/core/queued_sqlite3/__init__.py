"""A Django database backend: SQLite, with the writers of one process in a queue."""
