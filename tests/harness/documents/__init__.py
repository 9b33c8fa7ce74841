"""The commands of the documents, and the expected outcome of each."""
