"""The Rules of Workflows as checks: each watches an engine, and adds a finding where a rule is broken."""
