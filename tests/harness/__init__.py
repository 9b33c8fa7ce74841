"""What tests work with: processes, the stack, load, the documents. Suites lie beside this folder."""
