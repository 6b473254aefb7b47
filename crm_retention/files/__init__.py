"""Files as the engine's relations, and its results as files: what `crm-retention` adds to the engine."""
