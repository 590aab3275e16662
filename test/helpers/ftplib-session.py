"""Takes the steps that it reads as JSON in one session of Python's ftplib."""
import ftplib
import json
import sys

target = json.load(sys.stdin)
ftp = ftplib.FTP()
ftp.set_debuglevel(1)
ftp.connect(target["address"], target["port"], timeout=60)
ftp.login(target["user"], target["password"])
ftp.set_pasv(target["isPassive"])

for step in target["steps"]:
    kind, remote, local = step["kind"], step["remote"], step["local"]
    start = step.get("from")
    if kind == "list":
        with open(local, "w") as lines:
            ftp.dir(remote, lambda line: print(line, file=lines))
    elif kind == "download":
        with open(local, "ab" if start else "wb") as file:
            ftp.retrbinary(f"RETR {remote}", file.write, rest=start)
    else:
        with open(local, "rb") as file:
            file.seek(start or 0)
            ftp.storbinary(f"STOR {remote}", file, rest=start)

ftp.quit()
