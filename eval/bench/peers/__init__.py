"""Other systems that do the same, measured beside this one: same texts, same models, same threads, in turn."""
