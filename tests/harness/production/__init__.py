"""The production form of the stack, with external databases."""
