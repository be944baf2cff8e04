"""A study's configuration: typed, checked in full before any job starts, and asked what to run."""
