"""The error of served versions, measured on the true values that clients have sent."""
