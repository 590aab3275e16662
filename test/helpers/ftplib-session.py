"""Takes the steps that it reads as JSON in one session of Python's ftplib."""
import ftplib
import json
import ssl
import sys

target = json.load(sys.stdin)
tls = target.get("tls")
context = ssl.create_default_context(cafile=tls["ca"]) if tls else None
if tls and "version" in tls:
    context.maximum_version = ssl.TLSVersion["TLSv" + tls["version"].replace(".", "_")]
ftp = ftplib.FTP_TLS(context=context) if tls else ftplib.FTP()
ftp.set_debuglevel(1)
ftp.connect(target["address"], target["port"], timeout=60)
ftp.login(target["user"], target["password"])
if tls and not tls.get("isDataClear"):
    ftp.prot_p()
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
