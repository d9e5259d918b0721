# SPDX-License-Identifier: MIT
"""
examples.py DOCUMENT - runs every example of the README or of a manual page, prints what is wrong with
them, one line an example, and counts; exits with 1 if anything is wrong.

In a README examples are the fenced blocks that name a language (those without are pictures and
output), in a manual page the .Dl lines and the .Bd -literal and .EX blocks, whose language is told
by their first line. Each one runs in a folder of its own, in which ./legacy-app and ./service look
www.example.com up, with the library in /usr/local and servers that know the names and addresses of
the examples: test_examples.c makes such a world.

	sh          must end with 0 (or as EXPECTED says) and without complaints on stderr
	conf        as /etc/noblockdns.conf must give a program nothing to complain of
	ini         a drop-in of systemd: its environment makes ./service run, systemd-analyze verifies it
	dockerfile  its stages and the files that they copy exist
	yaml        a workflow: its `run` steps are run
"""
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

# What cannot be run here, by its first words, and why. One that no longer occurs is an error.
NOT_RUN = {
    "make demo": "is these documents' demo and test: minutes, and this test is a part of it",
    "make && make install": "would build again; test_package.c installs and packs what is built",
    "make -C noblockdns": "the same, in a workflow",
}

# Exit statuses other than 0, by a part of the example: a finding is what these are for.
EXPECTED = {
    "noblockdns doctor": {0, 1},
}

COMPLAINT = re.compile(r"^noblockdns[:\[]|ERROR: ld\.so|command not found|usage:", re.M | re.I)
TIMEOUT_S = 60


class Example:
    def __init__(self, language, text, line):
        self.language, self.text, self.line = language, text, line

    def __str__(self):
        return f"line {self.line}: {self.text.splitlines()[0]}"


# ---- what the documents hold ----


def from_markdown(text):
    found, block = [], None
    for number, line in enumerate(text.splitlines(), 1):
        fence = re.match(r"( *)```(\w*)$", line)
        if fence and block is None:
            block = Example(fence[2], "", number + 1)
            indent = len(fence[1])
        elif fence:
            found += [block] if block.language else []
            block = None
        elif block is not None:
            block.text += line[indent:] + "\n"
    if block is not None:
        sys.exit(f"line {block.line}: a block without an end")
    return found


def unescape(line):
    for escape, character in ((r"\(aq", "'"), (r"\(dq", '"'), (r"\-", "-"), (r"\&", ""), (r"\e", "\\")):
        line = line.replace(escape, character)
    return line


def language_of(text):
    first = [line for line in text.splitlines() if not line.startswith("#")][0]
    if first.startswith("["):
        return "ini"
    return "conf" if re.match(r"[a-z_]+ = ", first) else "sh"


def from_manual(text):
    found, block, joined = [], None, False
    for number, line in enumerate(text.splitlines(), 1):
        is_line = line.startswith(".Dl ")
        if is_line and joined:
            found[-1].text += unescape(line[4:]) + "\n"
        elif is_line:
            found.append(Example("sh", unescape(line[4:]) + "\n", number))
        elif re.match(r"\.(Bd -literal|EX)", line):
            block = Example("", "", number + 1)
        elif re.match(r"\.(Ed|EE)", line):
            block.language = language_of(block.text)
            found.append(block)
            block = None
        elif block is not None:
            block.text += unescape(line) + "\n"
        joined = is_line
    return found


# ---- how each language is run: a list of what is wrong ----


def run(script, folder, **variables):
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=TIMEOUT_S,
    )


def told(result, allowed=frozenset({0})):
    wrong = []
    if result.returncode not in allowed:
        wrong.append(f"status {result.returncode}")
    if wrong or COMPLAINT.search(result.stderr):
        wrong.append((result.stdout + result.stderr)[-2000:])
    return wrong


def try_sh(text, folder):
    allowed = {0}
    for part, statuses in EXPECTED.items():
        if part in text:
            allowed = statuses
    return told(run(text, folder), allowed)


def try_conf(text, folder):
    path = "/etc/noblockdns.conf"
    with open(path, "w", encoding="utf-8") as conf:
        conf.write(text)
    result = run("LD_PRELOAD=/usr/local/lib/libnoblockdns.so getent ahosts localhost", folder)
    os.remove(path)
    return told(result)


def environment_of(text):
    variables = {}
    for line in text.splitlines():
        if line.startswith("Environment="):
            variables.update(word.split("=", 1) for word in shlex.split(line[len("Environment=") :]))
    return variables


def try_ini(text, folder):
    wrong = told(run("./service", folder, **environment_of(text)))
    if not shutil.which("systemd-analyze"):
        return wrong
    units = os.path.join(folder, "units")
    os.makedirs(os.path.join(units, "legacy-app.service.d"))
    with open(os.path.join(units, "legacy-app.service"), "w", encoding="utf-8") as unit:
        unit.write("[Service]\nExecStart=/bin/true\n")
    with open(os.path.join(units, "legacy-app.service.d/noblockdns.conf"), "w", encoding="utf-8") as dropin:
        dropin.write(text)
    result = run(
        "systemd-analyze verify --man=no --recursive-errors=no legacy-app.service", folder, SYSTEMD_UNIT_PATH=units
    )
    wrong += told(result)
    return wrong + ([result.stderr] if "legacy-app" in result.stderr else [])


INSTRUCTIONS = {"FROM", "RUN", "COPY", "WORKDIR", "ENV", "ENTRYPOINT", "CMD", "ARG", "USER", "EXPOSE", "LABEL"}


def try_dockerfile(text, folder):
    wrong, stages, variables = [], set(), {}
    for line in text.replace("\\\n", " ").splitlines():
        instruction, _, rest = line.partition(" ")
        words = rest.split()
        if not line or line.startswith("#"):
            continue
        if instruction not in INSTRUCTIONS or not words:
            wrong.append(f"no instruction: {line}")
        elif instruction == "FROM" and len(words) == 3 and words[1] == "AS":
            stages.add(words[2])
        elif instruction == "RUN":
            wrong += told(run(f"bash -n -c {shlex.quote(rest)}", folder))
        elif instruction == "COPY" and words[0].startswith("--from="):
            wrong += [] if words[0][7:] in stages else [f"no stage: {line}"]
        elif instruction == "COPY":
            wrong += [] if os.path.exists(os.path.join(folder, words[0])) else [f"no file: {line}"]
        elif instruction == "ENV":
            variables.update(word.split("=", 1) for word in shlex.split(rest))
        elif instruction in ("ENTRYPOINT", "CMD"):
            json.loads(rest)
    if not text.startswith("FROM "):
        wrong.append("does not begin with FROM")
    return wrong + told(run("./legacy-app", folder, **variables))


def run_steps(text):
    """The scripts of the `run` keys: what is behind the colon, or the deeper lines behind `|`."""
    lines = iter(text.splitlines() + [""])
    steps, line = [], next(lines)
    while line is not None:
        step = re.match(r"( *(?:- )?)run: (.*)", line)
        line = next(lines, None)
        if step and step[2] != "|":
            steps.append(step[2])
        elif step:
            script = []
            while line is not None and line.startswith(" " * (len(step[1]) + 1)):
                script.append(line.strip())
                line = next(lines, None)
            steps.append("\n".join(script))
    return steps


def try_yaml(text, folder):
    wrong = [] if re.search(r"^jobs:$", text, re.M) and re.search(r"^on: ", text, re.M) else ["no workflow"]
    if "\t" in text:
        wrong.append("a tab")
    summary = os.path.join(folder, "summary")
    for script in run_steps(text):
        if not is_left_out(script):
            wrong += [f"{script}: {what}" for what in told(run(script, folder, GITHUB_STEP_SUMMARY=summary))]
    return wrong


TRIES = {"sh": try_sh, "conf": try_conf, "ini": try_ini, "dockerfile": try_dockerfile, "yaml": try_yaml}

left_out = set()


def is_left_out(text):
    for start in NOT_RUN:
        if text.startswith(start):
            left_out.add(start)
            return True
    return False


def new_folder():
    folder = tempfile.mkdtemp(dir=os.environ["EXAMPLES_DIR"])
    for name in ("legacy-app", "service"):
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as program:
            program.write("#!/bin/sh\nexec getent ahosts www.example.com\n")
        os.chmod(path, 0o755)
    shutil.copy(os.environ["NOBLOCKDNS_TLS_CA"], os.path.join(folder, "cert.pem"))
    return folder


def main(document):
    with open(document, encoding="utf-8") as source:
        text = source.read()
    examples = from_markdown(text) if document.endswith(".md") else from_manual(text)
    failed = 0
    for example in examples:
        if is_left_out(example.text):
            continue
        if example.language not in TRIES:
            wrong = [f"nobody knows how to run {example.language}"]
        else:
            try:
                wrong = TRIES[example.language](example.text, new_folder())
            except (OSError, ValueError, subprocess.TimeoutExpired) as error:
                wrong = [str(error)]
        failed += bool(wrong)
        if wrong:
            print(f"{document} {example}: {' '.join(wrong).strip()}")
    if document == "README.md":
        for start in set(NOT_RUN) - left_out:
            print(f"{document}: there is no {start}")
            failed += 1
    print(f"{len(examples)} examples, {failed} wrong")
    sys.exit(1 if failed or not examples else 0)


main(sys.argv[1])
