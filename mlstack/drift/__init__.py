"""Step 95: do requests still look like the training data?"""
