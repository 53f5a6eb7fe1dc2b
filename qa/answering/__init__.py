"""Answer questions from an index: alone or in a batch, from each document, and from the best documents."""
