"""The programs that the api is compared with; each is written as its own documentation would write it."""
