"""Which files the checks look at."""

import subprocess


def tracked(*patterns):
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
                            capture_output=True, text=True, check=True)
    return sorted(set(listed.stdout.split()))
