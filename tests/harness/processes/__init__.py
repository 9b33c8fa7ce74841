"""Stores and servers as plain processes of a test."""
