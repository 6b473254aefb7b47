"""What is known of one party, read for people: everything respects what its reader may read, row by row."""
