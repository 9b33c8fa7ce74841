"""The commands of the documents, and what each must do."""
