"""Breaks off a download in the way that it reads as JSON, then fetches another file; prints what was answered."""
import ftplib
import json
import socket
import sys

target = json.load(sys.stdin)
ftp = ftplib.FTP()
ftp.connect(target["address"], target["port"], timeout=60)
ftp.login(target["user"], target["password"])
ftp.voidcmd("TYPE I")


def interrupt(how):
    if how == "ftplib":
        # All of it is sent as urgent, and the last byte is.
        ftp.sock.sendall(b"ABOR\r\n", socket.MSG_OOB)
        return
    if how == "Telnet":
        ftp.sock.sendall(b"\xff\xf4")
        ftp.sock.send(b"\xff", socket.MSG_OOB)
        ftp.sock.sendall(b"\xf2")
    ftp.sock.sendall(b"ABOR\r\n")


def rest_of(data):
    try:
        while data.recv(65536):
            pass
        return "end"
    except ConnectionResetError:
        return "reset"


def final_reply():
    while (reply := ftp.getmultiline()).startswith("1"):
        pass
    return reply[:3]


data = ftp.transfercmd("RETR " + target["endless"])
data.recv(1)
if target["how"] == "closed":
    data.close()
interrupt(target["how"])
end = "closed" if target["how"] == "closed" else rest_of(data)
data.close()
replies = [final_reply(), final_reply()]

received = bytearray()
ftp.retrbinary("RETR " + target["small"], received.extend)
ftp.quit()
print(json.dumps({"end": end, "replies": replies, "small": received.hex()}))
