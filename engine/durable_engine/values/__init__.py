"""Values on their way across the boundary and back: conversion, errors, durations, and values that nobody knows.

Where a value is stored, and which step it belongs to, does not belong here.
"""
