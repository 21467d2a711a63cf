"""What the SDK's suites import of a library that was not published, in a few lines of ours."""
