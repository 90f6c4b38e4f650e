"""What the texts tell people to type is there."""

import re
import subprocess

from world import OUTLAST, ROOT

TEXTS = [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("src/codes/knowledge/*.txt"), *ROOT.glob("src/**/*.c")]
COMMAND = re.compile(r"(?<![/\w.-])(?:build/)?outlast ([a-z]+)")


def test_every_command_that_is_named_exists():
    printed = subprocess.run([OUTLAST, "--help"], capture_output=True, text=True, check=True).stdout
    known = {line.split()[0] for line in printed.splitlines() if line.startswith("  ")}
    assert {"serve", "code", "resend"} <= known
    wrong = [f"{path.relative_to(ROOT)}:{number}: outlast {match[1]}" for path in TEXTS
             for number, line in enumerate(path.read_text().splitlines(), 1)
             for match in COMMAND.finditer(line) if match[1] not in known]
    assert wrong == []
